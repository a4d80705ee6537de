import { KafkaError } from '../wire/errors.ts';
import { NO_UUID } from '../wire/reader.ts';
import { api } from './api.ts';
import { attempt, type Outcome } from './outcome.ts';

interface Wanted {
  /** Null when given by id. */
  readonly name: string | null;
  readonly id: string;
}

export const deleteTopics = api<readonly Wanted[], readonly (Wanted & Outcome)[]>({
  key: 20,
  name: 'DeleteTopics',
  min: 1,
  max: 6,
  flexibleFrom: 4,
  read(reader, version) {
    const topics =
      version >= 6
        ? reader.structs(() => ({ name: reader.nullableString(), id: reader.uuid() }))
        : reader.array(() => ({ name: reader.string(), id: NO_UUID }));
    reader.int32(); // timeout
    return topics;
  },
  handle: (topics, { broker }) =>
    topics.map(({ name, id }) => {
      const found = name === null ? broker.topics.byId(id) : broker.topics.get(name);
      const outcome = attempt(() => {
        if (found === undefined && name === null) throw new KafkaError('UNKNOWN_TOPIC_ID');
        broker.topics.delete(found?.name ?? name ?? '');
      });
      return { name: found?.name ?? name, id: found?.id ?? id, ...outcome };
    }),
  write(writer, topics, version) {
    writer.int32(0); // throttle time
    writer.structs(topics, ({ name, id, error, message }) => {
      writer.nullableString(version >= 6 ? name : (name ?? ''));
      if (version >= 6) writer.uuid(id);
      writer.int16(error);
      if (version >= 5) writer.nullableString(message);
    });
  },
  fail: (topics, error) => topics.map((topic) => ({ ...topic, error, message: null })),
});
