import { describeTopicConfigs, type DescribedConfig, type TopicConfigs } from '../cluster/topic-config.ts';
import { ERROR, KafkaError, type ErrorCode } from '../wire/errors.ts';
import { NO_UUID } from '../wire/reader.ts';
import { api, type Context } from './api.ts';
import { CONFIG_SOURCE } from './config-source.ts';
import { attempt, type Outcome } from './outcome.ts';

interface NewTopic {
  readonly name: string;
  /** -1 for the broker's default, or with assignments. */
  readonly partitionCount: number;
  readonly replicationFactor: number;
  /** Brokers by partition, when the client assigns them. */
  readonly assignments: readonly { readonly index: number; readonly brokerIds: readonly number[] }[];
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

interface Request {
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
}

interface TopicAnswer extends Outcome {
  readonly name: string;
  readonly id: string;
  readonly partitionCount: number;
  readonly configs: readonly DescribedConfig[];
}

export const createTopics = api<Request, readonly TopicAnswer[]>({
  key: 19,
  name: 'CreateTopics',
  min: 2,
  max: 7,
  flexibleFrom: 5,
  read(reader) {
    const topics = reader.structs(() => ({
      name: reader.string(),
      partitionCount: reader.int32(),
      replicationFactor: reader.int16(),
      assignments: reader.structs(() => ({
        index: reader.int32(),
        brokerIds: reader.array(() => reader.int32()),
      })),
      configs: reader.structs(() => ({ name: reader.string(), value: reader.nullableString() })),
    }));
    reader.int32(); // timeout
    return { topics, validateOnly: reader.boolean() };
  },
  handle({ topics, validateOnly }, { broker }) {
    const names = topics.map(({ name }) => name);
    return topics.map((topic) => {
      if (names.indexOf(topic.name) !== names.lastIndexOf(topic.name)) {
        return failed(topic, ERROR.INVALID_REQUEST, 'Duplicate topic name.');
      }
      return create(topic, validateOnly, broker);
    });
  },
  write(writer, topics, version) {
    writer.int32(0); // throttle time
    writer.structs(topics, ({ name, id, error, message, partitionCount, configs }) => {
      writer.string(name);
      if (version >= 7) writer.uuid(id);
      writer.int16(error);
      writer.nullableString(message);
      if (version < 5) return;
      writer.int32(partitionCount);
      writer.int16(error === ERROR.NONE ? 1 : -1); // replicas
      writer.structs(configs, (config) => {
        writer.string(config.name);
        writer.nullableString(config.value);
        writer.boolean(false); // read only
        writer.int8(config.isDefault ? CONFIG_SOURCE.default : CONFIG_SOURCE.topic);
        writer.boolean(false); // sensitive
      });
    });
  },
  fail: ({ topics }, error) => topics.map((topic) => failed(topic, error, null)),
});

function failed({ name }: NewTopic, error: ErrorCode, message: string | null): TopicAnswer {
  return { name, error, message, id: NO_UUID, partitionCount: -1, configs: [] };
}

function create(topic: NewTopic, validateOnly: boolean, broker: Context['broker']): TopicAnswer {
  let made = { id: NO_UUID, partitionCount: -1, configs: [] as readonly DescribedConfig[] };
  const outcome = attempt(() => {
    const configs = givenConfigs(topic);
    const count = wantedPartitions(topic, broker);
    if (validateOnly) broker.topics.checkNew(topic.name, count, configs);
    const id = validateOnly ? NO_UUID : broker.topics.create(topic.name, count, configs).id;
    made = { id, partitionCount: count, configs: describeTopicConfigs(configs) };
  });
  return { name: topic.name, ...outcome, ...made };
}

function givenConfigs({ configs }: NewTopic): TopicConfigs {
  return Object.fromEntries(
    configs.map(({ name, value }) => {
      if (value === null)
        throw new KafkaError('INVALID_CONFIG', `Null value not supported for topic config ${name}`);
      return [name, value];
    }),
  );
}

/** @throws KafkaError when a single node cannot have these replicas */
function wantedPartitions(
  { partitionCount, replicationFactor, assignments }: NewTopic,
  broker: Context['broker'],
) {
  if (assignments.length > 0) {
    const indexes = assignments.map(({ index }) => index).sort((a, b) => a - b);
    const isHere = assignments.every(
      ({ brokerIds: [first, ...more] }) => first === broker.nodeId && !more.length,
    );
    if (!isHere || indexes.some((index, at) => index !== at)) {
      throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', `The only broker is ${broker.nodeId}.`);
    }
    return assignments.length;
  }
  if (replicationFactor !== -1 && replicationFactor !== 1) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${replicationFactor} time(s): there is one broker.`,
    );
  }
  return partitionCount === -1 ? broker.defaultPartitions : partitionCount;
}
