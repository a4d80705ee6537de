import type { Broker } from '../broker.ts';
import { LEADER_EPOCH } from '../log/partition.ts';
import { ERROR, KafkaError, type ErrorCode } from '../wire/errors.ts';
import { NO_UUID } from '../wire/reader.ts';
import { api, NO_OPERATIONS } from './api.ts';

interface Request {
  /** Null for all topics. A null name means: by id. */
  readonly topics: readonly { readonly id: string; readonly name: string | null }[] | null;
  readonly mayCreate: boolean;
}

interface TopicAnswer {
  readonly error: ErrorCode;
  readonly name: string | null;
  readonly id: string;
  readonly partitionCount: number;
}

interface Response {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly clusterId: string | null;
  readonly topics: readonly TopicAnswer[];
}

export const metadata = api<Request, Response>({
  key: 3,
  name: 'Metadata',
  min: 0,
  max: 12,
  flexibleFrom: 9,
  read(reader, version) {
    const topics = reader.nullableStructs(() => ({
      id: version >= 10 ? reader.uuid() : NO_UUID,
      name: reader.nullableString(),
    }));
    const mayCreate = version >= 4 ? reader.boolean() : true;
    if (version >= 8 && version <= 10) reader.boolean(); // cluster operations
    if (version >= 8) reader.boolean(); // topic operations
    // Version 0 has no null.
    return { topics: version === 0 && topics?.length === 0 ? null : topics, mayCreate };
  },
  handle({ topics, mayCreate }, { broker, connection }) {
    return {
      nodeId: broker.nodeId,
      ...connection.reachedAt,
      clusterId: broker.clusterId,
      topics:
        topics?.map(({ id, name }) => describe(id, name, mayCreate, broker)) ??
        broker.topics.all().map(({ name, id }) => describe(id, name, false, broker)),
    };
  },
  write(writer, { nodeId, host, port, clusterId, topics }, version) {
    if (version >= 3) writer.int32(0); // throttle time
    writer.structs([nodeId], (id) => {
      writer.int32(id);
      writer.string(host);
      writer.int32(port);
      if (version >= 1) writer.nullableString(null); // rack
    });
    if (version >= 2) writer.nullableString(clusterId);
    if (version >= 1) writer.int32(nodeId); // controller
    writer.structs(topics, (topic) => {
      writer.int16(topic.error);
      writer.nullableString(version >= 12 ? topic.name : (topic.name ?? ''));
      if (version >= 10) writer.uuid(topic.id);
      if (version >= 1) writer.boolean(false); // internal
      writer.structs([...Array(topic.partitionCount).keys()], (index) => {
        writer.int16(ERROR.NONE);
        writer.int32(index);
        writer.int32(nodeId); // leader
        if (version >= 7) writer.int32(LEADER_EPOCH);
        writer.array([nodeId], (id) => writer.int32(id)); // replicas
        writer.array([nodeId], (id) => writer.int32(id)); // in sync
        if (version >= 5) writer.array([], () => undefined); // offline
      });
      if (version >= 8) writer.int32(NO_OPERATIONS);
    });
    if (version >= 8 && version <= 10) writer.int32(NO_OPERATIONS);
  },
  fail: ({ topics }, error) => ({
    nodeId: -1,
    host: '',
    port: -1,
    clusterId: null,
    topics: (topics ?? []).map(({ id, name }) => ({ error, name, id, partitionCount: 0 })),
  }),
});

function describe(id: string, name: string | null, mayCreate: boolean, broker: Broker): TopicAnswer {
  const { topics } = broker;
  const known = name === null ? topics.byId(id) : topics.get(name);
  if (known !== undefined) {
    return { error: ERROR.NONE, name: known.name, id: known.id, partitionCount: known.partitions.length };
  }
  const unknown = (error: ErrorCode) => ({ error, name, id, partitionCount: 0 });
  if (name === null) return unknown(ERROR.UNKNOWN_TOPIC_ID);
  try {
    topics.checkNew(name, broker.defaultPartitions, {});
    if (!mayCreate || !broker.autoCreateTopics) return unknown(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    topics.create(name, broker.defaultPartitions);
    return describe(id, name, false, broker);
  } catch (error) {
    if (error instanceof KafkaError) return unknown(error.code);
    throw error;
  }
}
