import { NO_UUID, type Reader } from '../../../src/dev-broker/wire/reader.ts';
import type { Writer } from '../../../src/dev-broker/wire/writer.ts';
import { batchesFrom, type Model, type Replica } from './model.ts';

export const API = {
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  apiVersions: 18,
} as const;

/** The one offered version of each API except Metadata: the one implemented below. https://kafka.apache.org/protocol */
const VERSIONS: Readonly<Record<number, number>> = {
  [API.fetch]: 11,
  [API.listOffsets]: 4,
  [API.metadata]: 7,
  [API.offsetCommit]: 3,
  [API.offsetFetch]: 3,
  [API.findCoordinator]: 1,
  [API.joinGroup]: 2,
  [API.heartbeat]: 1,
  [API.leaveGroup]: 1,
  [API.syncGroup]: 1,
};

const NONE = 0;
/** "Not given" for the client's authorized operations. */
const NO_OPERATIONS = -(2 ** 31);
const OFFSET_OUT_OF_RANGE = 1;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const LEADER_NOT_AVAILABLE = 5;
const NOT_LEADER = 6;
const NOT_COORDINATOR = 16;
const ILLEGAL_GENERATION = 22;
const UNKNOWN_MEMBER_ID = 25;
const FENCED_LEADER_EPOCH = 74;
const UNKNOWN_LEADER_EPOCH = 75;

/** The state from which a node answers. */
export interface Node {
  readonly id: number;
  readonly model: Model;
  readonly nodes: readonly { readonly id: number; readonly port: number }[];
  /** Partitions as this node has them: it may be cut off from the other nodes. */
  readonly partitions: readonly Replica[];
  /** An error code for a partition of a Fetch, or 0. */
  readonly trouble: (partition: number) => number;
  /** An error code for a request of the group, or 0. */
  readonly groupTrouble: (key: number) => number;
  /** The newest offered version of Metadata. */
  readonly metadataVersion: number;
  /** Omits from an answer to Fetch that offsets were deleted. */
  readonly readsOverGaps: boolean;
}

/** @returns whether there was anything new, for requests for which a client may wait */
export function answer(key: number, version: number, reader: Reader, writer: Writer, node: Node): boolean {
  switch (key) {
    case API.apiVersions:
      apiVersions(version, writer, node);
      return true;
    case API.metadata:
      metadata(version, reader, writer, node);
      return true;
    case API.fetch:
      return fetch(reader, writer, node);
    case API.listOffsets:
      listOffsets(reader, writer, node);
      return true;
    default:
      group(key, reader, writer, node);
      return true;
  }
}

function apiVersions(version: number, writer: Writer, { metadataVersion }: Node): void {
  writer.int16(NONE);
  const offered = Object.entries(VERSIONS).map(([key, min]) => ({
    key: Number(key),
    min,
    max: Number(key) === API.metadata ? metadataVersion : min,
  }));
  writer.structs([...offered, { key: API.apiVersions, min: 0, max: 2 }], ({ key, min, max }) => {
    writer.int16(key);
    writer.int16(min);
    writer.int16(max);
  });
  if (version >= 1) writer.int32(0);
}

function metadata(
  version: number,
  reader: Reader,
  writer: Writer,
  { id, model, nodes, partitions }: Node,
): void {
  const isWithIds = version >= 10;
  const topics = reader.nullableStructs(() => {
    if (isWithIds) reader.uuid();
    return reader.string();
  });
  writer.int32(0);
  writer.structs(nodes, ({ id: nodeId, port }) => {
    writer.int32(nodeId);
    writer.string('127.0.0.1');
    writer.int32(port);
    writer.nullableString(null);
  });
  writer.nullableString(model.clusterId);
  writer.int32(id);
  writer.structs(topics ?? model.topics, (topic) => {
    const found = [...partitions.entries()].filter(([index]) => model.place(index).topic === topic);
    writer.int16(found.length === 0 ? UNKNOWN_TOPIC_OR_PARTITION : NONE);
    writer.string(topic);
    if (isWithIds) writer.uuid(found[0]?.[1].topicId ?? NO_UUID);
    writer.boolean(false);
    writer.structs(found, ([index, { leader, epoch }]) => {
      writer.int16(leader < 0 ? LEADER_NOT_AVAILABLE : NONE);
      writer.int32(model.place(index).partition);
      writer.int32(leader);
      writer.int32(epoch);
      for (let list = 0; list < 3; list += 1) writer.array<number>([], () => undefined);
    });
    if (isWithIds) writer.int32(NO_OPERATIONS);
  });
  if (isWithIds) writer.int32(NO_OPERATIONS);
}

function fetch(reader: Reader, writer: Writer, node: Node): boolean {
  reader.int32();
  reader.int32(); // max wait
  reader.int32();
  let left = reader.int32();
  reader.int8();
  reader.int32();
  reader.int32();
  const asked = reader.structs(() => ({
    topic: reader.string(),
    partitions: reader.structs(() => {
      const partition = reader.int32();
      const epoch = reader.int32();
      const offset = reader.int64();
      reader.int64();
      return { partition, epoch, offset, maxBytes: reader.int32() };
    }),
  }));
  let isNews = false;
  let hasRecords = false;
  writer.int32(0);
  writer.int16(NONE);
  writer.int32(0);
  writer.structs(asked, ({ topic, partitions }) => {
    writer.string(topic);
    writer.structs(partitions, ({ partition, epoch, offset, maxBytes }) => {
      const index = node.model.indexOf({ topic, partition });
      const replica = node.partitions[index];
      const error = node.trouble(index) || refusal(node, replica, epoch) || outOfRange(node, replica, offset);
      const records =
        error === NONE && replica !== undefined && left > 0
          ? batchesFrom(replica, offset, Math.min(left, maxBytes), !hasRecords)
          : Buffer.alloc(0);
      left -= records.length;
      hasRecords ||= records.length > 0;
      isNews ||= error !== NONE || records.length > 0;
      writer.int32(partition);
      writer.int16(error);
      writer.int64(replica?.end ?? -1);
      writer.int64(replica?.end ?? -1);
      writer.int64(replica?.start ?? -1);
      writer.array<number>([], () => undefined);
      writer.int32(-1);
      writer.bytes(records);
    });
  });
  return isNews;
}

function refusal({ id }: Node, replica: Replica | undefined, epoch = -1): number {
  if (replica === undefined) return UNKNOWN_TOPIC_OR_PARTITION;
  if (epoch >= 0 && epoch < replica.epoch) return FENCED_LEADER_EPOCH;
  if (epoch > replica.epoch) return UNKNOWN_LEADER_EPOCH;
  return replica.leader === id ? NONE : NOT_LEADER;
}

function outOfRange({ readsOverGaps }: Node, replica: Replica | undefined, offset: number): number {
  if (replica === undefined || offset > replica.end) return OFFSET_OUT_OF_RANGE;
  return offset < replica.start && !readsOverGaps ? OFFSET_OUT_OF_RANGE : NONE;
}

function listOffsets(reader: Reader, writer: Writer, node: Node): void {
  reader.int32();
  reader.int8();
  const topics = reader.structs(() => ({
    topic: reader.string(),
    partitions: reader.structs(() => ({
      partition: reader.int32(),
      epoch: reader.int32(),
      timestamp: reader.int64(),
    })),
  }));
  writer.int32(0);
  writer.structs(topics, ({ topic, partitions }) => {
    writer.string(topic);
    writer.structs(partitions, ({ partition, epoch, timestamp }) => {
      const replica = node.partitions[node.model.indexOf({ topic, partition })];
      const error = refusal(node, replica, epoch);
      writer.int32(partition);
      writer.int16(error);
      writer.int64(-1);
      writer.int64(error === NONE ? ((timestamp === -1 ? replica?.end : replica?.start) ?? -1) : -1);
      writer.int32(-1);
    });
  });
}

function group(key: number, reader: Reader, writer: Writer, node: Node): void {
  const { model } = node;
  reader.string(); // name
  writer.int32(0); // throttle time
  const refusal = model.coordinator === node.id ? node.groupTrouble(key) : NOT_COORDINATOR;
  switch (key) {
    case API.findCoordinator: {
      const found = node.nodes.find(({ id }) => id === model.coordinator);
      writer.int16(NONE);
      writer.nullableString(null);
      writer.int32(model.coordinator);
      writer.string('127.0.0.1');
      writer.int32(found?.port ?? 0);
      return;
    }
    case API.joinGroup:
      join(reader, writer, model, refusal);
      return;
    case API.syncGroup: {
      const error = refusal || membership(model, reader.int32(), reader.string());
      const [own] =
        error === NONE ? reader.structs(() => ({ id: reader.string(), bytes: reader.bytes() })) : [];
      writer.int16(error);
      writer.bytes(own?.bytes ?? Buffer.alloc(0));
      return;
    }
    case API.heartbeat:
      writer.int16(refusal || membership(model, reader.int32(), reader.string()));
      return;
    case API.leaveGroup:
      if (refusal === NONE && reader.string() === model.memberId) model.memberId = '';
      writer.int16(refusal);
      return;
    case API.offsetCommit:
      commit(reader, writer, model, refusal);
      return;
    case API.offsetFetch:
      committed(reader, writer, model, refusal);
      return;
    default:
      throw new Error(`request ${key} is not in the model`);
  }
}

function join(reader: Reader, writer: Writer, model: Model, refusal: number): void {
  model.sessionTimeouts.push(reader.int32());
  reader.int32();
  const memberId = reader.string();
  reader.string();
  const [protocol] = reader.structs(() => ({ name: reader.string(), metadata: reader.bytes() }));
  const isKnown = memberId === '' || memberId === model.memberId;
  const error = refusal || (isKnown ? NONE : UNKNOWN_MEMBER_ID);
  if (error === NONE) {
    model.joins += 1;
    model.generation += 1;
    model.memberId = memberId === '' ? `member-${model.joins}` : memberId;
  }
  writer.int16(error);
  writer.int32(model.generation);
  writer.string(protocol?.name ?? '');
  writer.string(model.memberId);
  writer.string(model.memberId);
  writer.structs(error === NONE ? [model.memberId] : [], (id) => {
    writer.string(id);
    writer.bytes(protocol?.metadata ?? Buffer.alloc(0));
  });
}

function membership(model: Model, generation: number, memberId: string): number {
  if (memberId !== model.memberId) return UNKNOWN_MEMBER_ID;
  return generation === model.generation ? NONE : ILLEGAL_GENERATION;
}

function commit(reader: Reader, writer: Writer, model: Model, refusal: number): void {
  const generation = reader.int32();
  const memberId = reader.string();
  const error = refusal || membership(model, generation, memberId);
  reader.int64();
  const topics = reader.structs(() => ({
    topic: reader.string(),
    partitions: reader.structs(() => {
      const entry = { partition: reader.int32(), offset: reader.int64() };
      reader.nullableString();
      return entry;
    }),
  }));
  const offsets = topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => [model.indexOf({ topic, partition }), offset] as const),
  );
  model.commits.push({ generation, error, offsets: new Map(offsets) });
  writer.structs(topics, ({ topic, partitions }) => {
    writer.string(topic);
    writer.structs(partitions, ({ partition, offset }) => {
      if (error === NONE) model.committed.set(model.indexOf({ topic, partition }), offset);
      writer.int32(partition);
      writer.int16(error);
    });
  });
}

function committed(reader: Reader, writer: Writer, model: Model, refusal: number): void {
  const topics = reader.structs(() => ({
    topic: reader.string(),
    partitions: reader.structs(() => reader.int32()),
  }));
  writer.structs(topics, ({ topic, partitions }) => {
    writer.string(topic);
    writer.structs(partitions, (partition) => {
      writer.int32(partition);
      writer.int64(model.committed.get(model.indexOf({ topic, partition })) ?? -1);
      writer.nullableString(null);
      writer.int16(NONE);
    });
  });
  writer.int16(refusal);
}
