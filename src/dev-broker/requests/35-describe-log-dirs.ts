import { statfsSync } from 'node:fs';

import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

interface PartitionSize {
  readonly index: number;
  readonly sizeBytes: number;
}

interface Response {
  readonly error: ErrorCode;
  readonly folder: string;
  readonly topics: readonly { readonly name: string; readonly partitions: readonly PartitionSize[] }[];
  readonly totalBytes: number;
  readonly usableBytes: number;
}

type Wanted = readonly { readonly name: string; readonly partitions: readonly number[] }[] | null;

export const describeLogDirs = api<Wanted, Response>({
  key: 35,
  name: 'DescribeLogDirs',
  min: 1,
  max: 4,
  flexibleFrom: 2,
  read: (reader) =>
    reader.nullableStructs(() => ({
      name: reader.string(),
      partitions: reader.array(() => reader.int32()),
    })),
  handle(wanted, { broker }) {
    const { bsize, blocks, bavail } = statfsSync(broker.dataDir);
    const names = wanted?.map(({ name }) => name) ?? broker.topics.all().map(({ name }) => name);
    return {
      error: ERROR.NONE,
      folder: broker.dataDir,
      topics: names.flatMap((name) => {
        const partitions = broker.topics.get(name)?.partitions ?? [];
        const asked = wanted?.find((topic) => topic.name === name)?.partitions;
        const sizes = partitions
          .filter(({ index }) => asked?.includes(index) ?? true)
          .map(({ index, sizeBytes }) => ({ index, sizeBytes }));
        return sizes.length === 0 ? [] : [{ name, partitions: sizes }];
      }),
      totalBytes: blocks * bsize,
      usableBytes: bavail * bsize,
    };
  },
  write(writer, { error, folder, topics, totalBytes, usableBytes }, version) {
    writer.int32(0); // throttle time
    if (version >= 3) writer.int16(error);
    writer.structs([folder], () => {
      writer.int16(error);
      writer.string(folder);
      writer.structs(topics, ({ name, partitions }) => {
        writer.string(name);
        writer.structs(partitions, ({ index, sizeBytes }) => {
          writer.int32(index);
          writer.int64(sizeBytes);
          writer.int64(0); // lag behind the leader
          writer.boolean(false); // being moved to another folder
        });
      });
      if (version < 4) return;
      writer.int64(totalBytes);
      writer.int64(usableBytes);
    });
  },
  fail: (_, error) => ({ error, folder: '', topics: [], totalBytes: -1, usableBytes: -1 }),
});
