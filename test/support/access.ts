import { newEncoder, type BrokerNode, type Decoder } from '../../src/adapters/kafka/protocol/kafkajs.ts';
import { encodeBatch } from '../../src/adapters/kafka/protocol/encode-batch.ts';
import { fetchRecords } from '../../src/adapters/kafka/protocol/requests/fetch.ts';
import { produceBatches } from '../../src/adapters/kafka/protocol/requests/produce.ts';
import { send } from '../../src/adapters/kafka/protocol/requests/request.ts';

/*
 * The operations that the signed-in user may perform: as the authorizer reports them, and by performing them. Fields in
 * the order of https://kafka.apache.org/protocol.
 */

const METADATA = { apiKey: 3, apiVersion: 8, apiName: 'Metadata' };
const DESCRIBE_GROUPS = { apiKey: 15, apiVersion: 3, apiName: 'DescribeGroups' };
const JOIN_GROUP = { apiKey: 11, apiVersion: 4, apiName: 'JoinGroup' };
const INIT_PRODUCER_ID = { apiKey: 22, apiVersion: 1, apiName: 'InitProducerId' };

const TOPIC_AUTHORIZATION_FAILED = 29;
const GROUP_AUTHORIZATION_FAILED = 30;
/** A new member must ask twice: this is the answer to the first request, where the group may be read. */
const MEMBER_ID_REQUIRED = 79;
const TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53;
const LIMITS = { acknowledgeMs: 10_000, silenceMs: 20_000 };
const SESSION_MS = 10_000;

/** By number: org.apache.kafka.common.acl.AclOperation. */
const OPERATIONS = ['unknown', 'any', 'all', 'read', 'write', 'create', 'delete', 'alter', 'describe'].concat(
  ['cluster_action', 'describe_configs', 'alter_configs', 'idempotent_write'],
);

/** The operations allowed on a topic or group, by name and sorted; none where it may not even be described. */
export type Operations = Readonly<Record<string, readonly string[]>>;

/** The allowed operations on each of these topics, and on the cluster. */
export function operationsOnTopics(
  node: BrokerNode,
  topics: readonly string[],
): Promise<{ topics: Operations; cluster: readonly string[] }> {
  return send(node, METADATA, {
    body: () => {
      const encoder = newEncoder().writeInt32(topics.length);
      for (const topic of topics) encoder.writeString(topic);
      return encoder.writeBoolean(false).writeBoolean(true).writeBoolean(true);
    },
    decode: (decoder) => {
      decoder.readInt32(); // throttle time
      decoder.readArray((item) => [item.readInt32(), item.readString(), item.readInt32(), item.readString()]);
      decoder.readString(); // cluster
      decoder.readInt32(); // controller
      const found = decoder.readArray((item) => {
        const error = item.readInt16();
        const name = item.readString() ?? '';
        item.readBoolean(); // internal
        item.readArray(skipPartition);
        const operations = operationsOf(item.readInt32());
        if (error !== 0 && error !== TOPIC_AUTHORIZATION_FAILED) throw new Error(`${name}: error ${error}`);
        return [name, operations] as const;
      });
      return { topics: Object.fromEntries(found), cluster: operationsOf(decoder.readInt32()) };
    },
  });
}

function skipPartition(decoder: Decoder): void {
  decoder.readInt16();
  // Partition, leader, epoch.
  for (let field = 0; field < 3; field++) decoder.readInt32();
  // Replicas, in sync, offline.
  for (let field = 0; field < 3; field++) decoder.readArray((item) => item.readInt32());
}

/** The allowed operations on each of these groups. */
export function operationsOnGroups(node: BrokerNode, groups: readonly string[]): Promise<Operations> {
  return send(node, DESCRIBE_GROUPS, {
    body: () => {
      const encoder = newEncoder().writeInt32(groups.length);
      for (const group of groups) encoder.writeString(group);
      return encoder.writeBoolean(true);
    },
    decode: (decoder) => {
      decoder.readInt32(); // throttle time
      const found = decoder.readArray((item) => {
        item.readInt16(); // an error when it may not be described, which the operations show too
        const name = item.readString() ?? '';
        // State, type of protocol, protocol.
        for (let field = 0; field < 3; field++) item.readString();
        item.readArray((member) => {
          // Id, id of the client, host; metadata and assignment.
          for (let field = 0; field < 3; field++) member.readString();
          for (let field = 0; field < 2; field++) member.readBytes();
        });
        return [name, operationsOf(item.readInt32())] as const;
      });
      return Object.fromEntries(found);
    },
  });
}

/** @param bits one per operation number; the minimum value means that nothing may be known */
function operationsOf(bits: number): string[] {
  if (bits === -(2 ** 31)) return [];
  return Array.from({ length: 31 }, (_, number) => number)
    .filter((number) => (bits & (1 << number)) !== 0)
    .map((number) => OPERATIONS[number] ?? `operation ${number}`)
    .sort();
}

/** The topics to which one record can be written. */
export function writable(node: BrokerNode, topics: readonly string[]): Promise<string[]> {
  const origin = { producerId: -1, producerEpoch: -1, baseSequence: -1, timestampMs: Date.now() };
  const bytes = encodeBatch([{ key: Buffer.from('by a test'), value: Buffer.from('{}') }], origin);
  return those(topics, async (topic) => {
    const [answer] = await produceBatches(node, topic, [{ partition: 0, bytes }], LIMITS);
    return isAllowed(topic, answer?.errorCode);
  });
}

/** The topics that can be read. */
export async function readable(node: BrokerNode, topics: readonly string[]): Promise<string[]> {
  const found = await fetchRecords(node, {
    partitions: topics.map((topic) => ({ topic, partition: 0, offset: 0 })),
    maxWaitMs: 0,
    maxBytes: 1_000_000,
    maxPartitionBytes: 1_000,
    readCommitted: false,
  });
  const codes = new Map(found.map(({ topic, errorCode }) => [topic, errorCode]));
  return topics.filter((topic) => isAllowed(topic, codes.get(topic)));
}

function isAllowed(topic: string, code: number | undefined): boolean {
  if (code === 0) return true;
  if (code === TOPIC_AUTHORIZATION_FAILED) return false;
  throw new Error(`${topic}: error ${code ?? 'unknown: no answer'}`);
}

/** The groups that can be joined; none is actually joined. */
export function joinable(node: BrokerNode, groups: readonly string[]): Promise<string[]> {
  return those(groups, async (group) => {
    const code = await send(node, JOIN_GROUP, {
      body: () => {
        const encoder = newEncoder().writeString(group).writeInt32(SESSION_MS).writeInt32(SESSION_MS);
        encoder.writeString('').writeString('consumer').writeInt32(1);
        return encoder.writeString('by a test').writeBytes(Buffer.alloc(0));
      },
      decode: readCode,
    });
    if (code !== MEMBER_ID_REQUIRED && code !== GROUP_AUTHORIZATION_FAILED)
      throw new Error(`${group}: error ${code}`);
    return code === MEMBER_ID_REQUIRED;
  });
}

/** The transactional ids with which a transaction can be started. */
export function transactional(node: BrokerNode, ids: readonly string[]): Promise<string[]> {
  return those(ids, async (id) => {
    const code = await send(node, INIT_PRODUCER_ID, {
      body: () => newEncoder().writeString(id).writeInt32(SESSION_MS),
      decode: readCode,
    });
    return code !== TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  });
}

/** Asks about all names at once, on one connection. @returns the names for which it holds, in the given order */
async function those(names: readonly string[], holds: (name: string) => Promise<boolean>): Promise<string[]> {
  const answers = await Promise.all(names.map(holds));
  return names.filter((_, at) => answers[at]);
}

/** The fields with which such an answer starts. */
function readCode(decoder: Decoder): number {
  decoder.readInt32(); // throttle time
  return decoder.readInt16();
}
