import type { AbortedTransaction } from '../log/producers.ts';
import type { Partition } from '../log/partition.ts';
import { ERROR, KafkaError, type ErrorCode } from '../wire/errors.ts';
import { batchCompression, batchEndOffset, batchSizeBytes, COMPRESSION } from '../wire/record-batch.ts';
import { api, type Context } from './api.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';

interface WantedPartition {
  readonly index: number;
  readonly leaderEpoch: number;
  readonly offset: number;
  readonly maxBytes: number;
}

interface Request {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly committedOnly: boolean;
  readonly sessionId: number;
  readonly topics: readonly { readonly name: string; readonly partitions: readonly WantedPartition[] }[];
}

interface PartitionAnswer {
  readonly index: number;
  readonly error: ErrorCode;
  readonly highWatermark: number;
  readonly stableOffset: number;
  readonly startOffset: number;
  /** Null for read_uncommitted. */
  readonly aborted: readonly AbortedTransaction[] | null;
  readonly records: Buffer;
}

interface Response {
  readonly error: ErrorCode;
  readonly topics: readonly { readonly name: string; readonly partitions: readonly PartitionAnswer[] }[];
}

const NO_RECORDS = Buffer.alloc(0);
/** Of one answer, whatever the client accepts (the broker's fetch.max.bytes in Kafka). */
const MAX_ANSWER_BYTES = 55 << 20;
/** The first version with zstd: an older client could not read it. */
const ZSTD_FROM = 10;

export const fetch = api<Request, Response>({
  key: 1,
  name: 'Fetch',
  min: 4,
  max: 11,
  read(reader, version) {
    reader.int32(); // replica id: a consumer's is -1
    const maxWaitMs = reader.int32();
    const minBytes = reader.int32();
    const maxBytes = Math.min(reader.int32(), MAX_ANSWER_BYTES);
    const committedOnly = reader.int8() === 1;
    const sessionId = version >= 7 ? reader.int32() : 0;
    if (version >= 7) reader.int32(); // session epoch
    const topics = reader.structs(() => ({
      name: reader.string(),
      partitions: reader.structs(() => {
        const index = reader.int32();
        const leaderEpoch = version >= 9 ? reader.int32() : -1;
        const offset = reader.int64();
        if (version >= 5) reader.int64(); // log start offset of a follower
        return { index, leaderEpoch, offset, maxBytes: reader.int32() };
      }),
    }));
    return { maxWaitMs, minBytes, maxBytes, committedOnly, sessionId, topics };
  },
  async handle(request, context) {
    // Every answer has session id 0: the protocol's way to do without sessions.
    if (request.sessionId !== 0) throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND');
    const deadline = performance.now() + request.maxWaitMs;
    while (!context.connection.closed.aborted) {
      const { answer, sizeBytes, isFinal } = readAll(request, context);
      const leftMs = deadline - performance.now();
      if (isFinal || sizeBytes >= request.minBytes || leftMs <= 0) return answer;
      await moreBytes(request, context, request.minBytes - sizeBytes, leftMs);
    }
    return undefined;
  },
  write(writer, { error, topics }, version) {
    writer.int32(0); // throttle time
    if (version >= 7) {
      writer.int16(error);
      writer.int32(0); // session id: none
    }
    writer.structs(topics, ({ name, partitions }) => {
      writer.string(name);
      writer.structs(partitions, (partition) => {
        writer.int32(partition.index);
        writer.int16(partition.error);
        writer.int64(partition.highWatermark);
        writer.int64(partition.stableOffset);
        if (version >= 5) writer.int64(partition.startOffset);
        writer.structs(partition.aborted, ({ producerId, firstOffset }) => {
          writer.int64(producerId);
          writer.int64(firstOffset);
        });
        if (version >= 11) writer.int32(-1); // preferred replica: none
        writer.bytes(partition.records);
      });
    });
  },
  fail: ({ topics }, error) => ({
    error,
    // Before version 7 only partitions have an error field.
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => failed(index, error)),
    })),
  }),
});

function failed(index: number, error: ErrorCode, partition?: Partition): PartitionAnswer {
  return {
    index,
    error,
    highWatermark: partition?.endOffset ?? -1,
    stableOffset: partition?.stableOffset ?? -1,
    startOffset: partition?.startOffset ?? -1,
    aborted: null,
    records: NO_RECORDS,
  };
}

interface Reading {
  readonly answer: Response;
  readonly sizeBytes: number;
  /** Waiting would not help: something failed, or nothing was requested. */
  readonly isFinal: boolean;
}

function readAll(request: Request, context: Context): Reading {
  let sizeBytes = 0;
  let isFinal = request.topics.length === 0;
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((wanted) => {
      const partition = context.broker.topics.partition(name, wanted.index);
      try {
        if (partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
        const maxBytes = Math.min(wanted.maxBytes, request.maxBytes - sizeBytes);
        const read = readOne(partition, wanted, maxBytes, sizeBytes === 0, request, context.version);
        sizeBytes += read.records.length;
        return read;
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        isFinal = true;
        return failed(wanted.index, error.code, partition);
      }
    }),
  }));
  return { answer: { error: ERROR.NONE, topics }, sizeBytes, isFinal };
}

/** @throws KafkaError */
function readOne(
  partition: Partition,
  { index, offset, leaderEpoch }: WantedPartition,
  maxBytes: number,
  atLeastOne: boolean,
  { committedOnly }: Request,
  version: number,
): PartitionAnswer {
  checkLeaderEpoch(leaderEpoch);
  const records = partition.read({ offset, maxBytes, atLeastOne, committedOnly });
  const endOffset = endOf(records, version) ?? offset;
  return {
    ...failed(index, ERROR.NONE, partition),
    aborted: committedOnly ? partition.abortedBetween(offset, endOffset) : null,
    records,
  };
}

/** @throws KafkaError UNSUPPORTED_COMPRESSION_TYPE */
function endOf(records: Buffer, version: number): number | undefined {
  let endOffset: number | undefined;
  for (let at = 0; at < records.length; at += batchSizeBytes(records, at)) {
    if (version < ZSTD_FROM && batchCompression(records, at) === COMPRESSION.zstd) {
      throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE');
    }
    endOffset = batchEndOffset(records, at);
  }
  return endOffset;
}

/** Waits until the requested partitions have that many bytes, the time-out has passed, or the connection has ended. */
function moreBytes(request: Request, { broker, connection }: Context, bytes: number, timeoutMs: number) {
  return new Promise<void>((resolve) => {
    const ends: (() => void)[] = [];
    const done = () => {
      for (const end of ends) end();
      resolve();
    };
    let missing = bytes;
    const came = (more: number) => {
      missing -= more;
      if (missing <= 0) done();
    };
    for (const { name, partitions } of request.topics) {
      for (const { index } of partitions) {
        const partition = broker.topics.partition(name, index);
        if (partition !== undefined) ends.push(partition.onChanged(came));
      }
    }
    const timer = setTimeout(done, timeoutMs);
    connection.closed.addEventListener('abort', done);
    ends.push(
      () => clearTimeout(timer),
      () => connection.closed.removeEventListener('abort', done),
    );
  });
}
