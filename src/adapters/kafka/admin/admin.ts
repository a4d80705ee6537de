import type { AccessRule } from '../../../domain/access/rights.ts';
import { Failure } from '../../../domain/failure.ts';
import type {
  BrokerAdmin,
  CommittedOffset,
  GroupDescription,
  PartitionRange,
  RecordChunk,
  RecordRange,
  TopicDescription,
} from '../../../ports/broker.ts';
import type { RefusedPosition } from '../../../ports/record.ts';
import type { Position } from '../../../ports/store.ts';
import { KafkaClient } from '../protocol/client.ts';
import { answerOf } from '../protocol/errors.ts';
import { createAcls, deleteAcls, readAcls } from './acls.ts';
import { describeGroup, groupInUse } from './groups.ts';
import type { KafkaOptions } from '../options.ts';
import { createErrorFromCode, INVALID_CONFIG, LEADER_NOT_AVAILABLE } from '../protocol/kafkajs.ts';
import { leaders, listAt, listLedRanges, listRanges, partitionsOf } from './offsets.ts';
import { refusedPositions } from '../consume/positions.ts';
import { readRanges } from './read-ranges.ts';
import { spreadOf } from './spread.ts';
import { setTopicConfigs } from '../protocol/requests/alter-config.ts';
import { missingRequests } from '../protocol/requests/request.ts';

const CREATE_TIMEOUT_MS = 10_000;
/** A node that is cut off from the others receives no new metadata: this is the longest wait for it. */
const LONGEST_SPREAD_MS = 3_000;
const TOPIC_RESOURCE = 2;

/** @throws Failure broker_unreachable, broker_refused */
export async function createAdmin(options: KafkaOptions): Promise<BrokerAdmin> {
  const client = new KafkaClient(options);
  try {
    await client.retry({ doing: 'connect' }, () => client.metadata([]));
  } catch (error) {
    client.close();
    throw error;
  }
  return new KafkaAdmin(client);
}

class KafkaAdmin implements BrokerAdmin {
  readonly #client: KafkaClient;

  constructor(client: KafkaClient) {
    this.#client = client;
  }

  async clusterId(): Promise<string> {
    const { clusterId } = await this.#retry('describe the cluster', () => this.#client.metadata([]));
    return clusterId;
  }

  missingRequests(): Promise<readonly string[]> {
    return this.#retry('read the API versions', async () => missingRequests(await this.#client.anyNode()));
  }

  async topicNames(): Promise<readonly string[]> {
    const { topics } = await this.#retry('list topics', () => this.#client.metadata(null));
    const names = topics.map(({ topic }) => topic);
    return names.filter((name) => !name.startsWith('__')).sort();
  }

  async groupNames(): Promise<readonly string[]> {
    return this.#retry('list groups', async () => {
      const { brokers } = await this.#client.metadata([]);
      // Each broker knows only the groups that it coordinates.
      const lists = await Promise.all(
        brokers.map(async ({ nodeId }) => (await this.#client.node(nodeId)).listGroups()),
      );
      return lists.flatMap(({ groups }) => groups.map(({ groupId }) => groupId)).sort();
    });
  }

  async partitionCount(topic: string): Promise<number | undefined> {
    const found = await this.#retry(`describe topic ${topic}`, () => this.#client.topic(topic));
    return found.topic?.partitions.length;
  }

  async createTopic(
    topic: string,
    options: { partitions: number; replication?: number; configs?: Readonly<Record<string, string>> },
  ): Promise<boolean> {
    const doing = `create topic ${topic}`;
    const created = await this.#retry(doing, async () => {
      const { brokers, controllerId } = await this.#client.metadata([]);
      const node = await this.#client.node(controllerId);
      try {
        await node.createTopics({
          topics: [
            {
              topic,
              numPartitions: options.partitions,
              replicationFactor: Math.min(options.replication ?? 1, brokers.length),
              configEntries: Object.entries(options.configs ?? {}).map(([name, value]) => ({ name, value })),
            },
          ],
          timeout: CREATE_TIMEOUT_MS,
        });
        return true;
      } catch (error) {
        if (answerOf(error) === 'TOPIC_ALREADY_EXISTS') return false;
        throw error;
      }
    });
    // A topic that already existed may have fewer.
    await this.#settled(doing, topic, created ? options.partitions : 1);
    return created;
  }

  /** Waits for the nodes: metadata spreads after the controller's answer, and the next request may go to any of them. */
  async #settled(doing: string, topic: string, partitions: number): Promise<void> {
    const since = performance.now();
    await this.#retry(doing, async () => {
      const spread = await spreadOf(this.#client, topic, partitions);
      const isLate = performance.now() - since >= LONGEST_SPREAD_MS;
      if (spread !== 'everywhere' && !(spread === 'somewhere' && isLate))
        throw createErrorFromCode(LEADER_NOT_AVAILABLE);
    });
  }

  async brokerCount(): Promise<number> {
    const { brokers } = await this.#retry('describe the cluster', () => this.#client.metadata([]));
    return brokers.length;
  }

  async describeTopic(topic: string): Promise<TopicDescription | undefined> {
    return this.#retry(`describe topic ${topic}`, async () => {
      const found = (await this.#client.topic(topic)).topic;
      if (found === undefined) return undefined;
      const node = await this.#client.anyNode();
      const { resources } = await node.describeConfigs({
        resources: [{ type: TOPIC_RESOURCE, name: topic }],
      });
      const entries = resources.flatMap((resource) => resource.configEntries);
      return {
        partitions: found.partitions.length,
        replication: Math.min(...found.partitions.map(({ replicas }) => replicas.length)),
        configs: new Map(
          entries.flatMap(({ configName, configValue }) =>
            configValue === null ? [] : [[configName, configValue] as const],
          ),
        ),
      };
    });
  }

  async addPartitions(topic: string, total: number): Promise<void> {
    const doing = `add partitions to topic ${topic}`;
    await this.#retry(doing, async () => {
      const { controllerId } = await this.#client.metadata([]);
      const node = await this.#client.node(controllerId);
      await node.createPartitions({
        topicPartitions: [{ topic, count: total }],
        timeout: CREATE_TIMEOUT_MS,
        validateOnly: false,
      });
    });
    await this.#settled(doing, topic, total);
  }

  async alterTopicConfig(topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const doing = `change the configuration of topic ${topic}`;
    const { errorCode, message } = await this.#retry(doing, async () => {
      const { controllerId } = await this.#client.metadata([]);
      const answer = await setTopicConfigs(await this.#client.node(controllerId), topic, configs);
      if (answer.errorCode !== 0 && answer.errorCode !== INVALID_CONFIG) {
        throw createErrorFromCode(answer.errorCode);
      }
      return answer;
    });
    if (errorCode === 0) return;
    throw new Failure('broker_refused', `cannot ${doing}: ${message ?? 'a value is not allowed'}`, {
      fix: "check the brokers' limits",
      context: { topic },
    });
  }

  async topicConfig(topic: string, name: string): Promise<string | undefined> {
    return this.#retry(`read the configuration of topic ${topic}`, async () => {
      const node = await this.#client.anyNode();
      const { resources } = await node.describeConfigs({
        resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: [name] }],
      });
      const entries = resources.flatMap((resource) => resource.configEntries);
      return entries.find((entry) => entry.configName === name)?.configValue ?? undefined;
    });
  }

  ranges(topic: string): Promise<readonly PartitionRange[]> {
    return this.#retry(`list the offsets of topic ${topic}`, async () =>
      listRanges(this.#client, topic, await leaders(this.#client, topic), true),
    );
  }

  ledRanges(topic: string): Promise<readonly PartitionRange[]> {
    return this.#retry(`list the offsets of topic ${topic}`, () => listLedRanges(this.#client, topic));
  }

  offsetsAt(topic: string, timestampMs: number): Promise<ReadonlyMap<number, number>> {
    return this.#retry(`list the offsets of topic ${topic}`, () => listAt(this.#client, topic, timestampMs));
  }

  refusedPositions(
    topic: string,
    positions: ReadonlyMap<number, Position>,
  ): Promise<ReadonlyMap<number, RefusedPosition>> {
    return this.#retry(`read topic ${topic}`, () => refusedPositions(this.#client, topic, positions));
  }

  records(topic: string, ranges: readonly RecordRange[], signal?: AbortSignal): AsyncIterable<RecordChunk> {
    return readRanges(this.#client, topic, ranges, signal);
  }

  committed(group: string, topic: string): Promise<readonly CommittedOffset[]> {
    return this.#retry(`read the offsets of group ${group}`, async () => {
      const partitions = (await partitionsOf(this.#client, [topic])).map(({ partition }) => partition);
      const node = await this.#client.coordinator(group);
      const { responses } = await node.offsetFetch({
        groupId: group,
        topics: [{ topic, partitions: partitions.map((partition) => ({ partition })) }],
      });
      const answers = new Map(
        responses.flatMap((answer) => answer.partitions).map((answer) => [answer.partition, answer]),
      );
      return partitions.map((partition) => {
        const answer = answers.get(partition);
        const offset = Number(answer?.offset ?? -1);
        return { partition, offset: offset < 0 ? null : offset, metadata: answer?.metadata ?? '' };
      });
    });
  }

  async commit(
    group: string,
    topic: string,
    offsets: readonly { partition: number; offset: number; metadata: string }[],
  ): Promise<void> {
    if (offsets.length === 0) return;
    await this.#retry(`commit the offsets of group ${group}`, async () => {
      const node = await this.#client.coordinator(group);
      try {
        await node.offsetCommit({
          groupId: group,
          groupGenerationId: -1,
          memberId: '',
          topics: [{ topic, partitions: offsets }],
        });
      } catch (error) {
        // A group with members accepts commits only from its members.
        const answer = answerOf(error);
        if (
          answer !== 'UNKNOWN_MEMBER_ID' &&
          answer !== 'ILLEGAL_GENERATION' &&
          answer !== 'REBALANCE_IN_PROGRESS'
        ) {
          throw error;
        }
        throw groupInUse(group, await describeGroup(this.#client, group), this.#client.clientId);
      }
    });
  }

  group(group: string): Promise<GroupDescription> {
    return this.#retry(`describe group ${group}`, () => describeGroup(this.#client, group));
  }

  async removeMember(group: string, memberId: string): Promise<void> {
    await this.#retry(`remove a member of group ${group}`, async () => {
      const node = await this.#client.coordinator(group);
      try {
        await node.leaveGroup({ groupId: group, memberId });
      } catch (error) {
        if (answerOf(error) !== 'UNKNOWN_MEMBER_ID') throw error;
      }
    });
  }

  accessRules(): Promise<readonly AccessRule[] | null> {
    return this.#retry('read the access rules', () => readAcls(this.#client));
  }

  allow(rules: readonly AccessRule[]): Promise<void> {
    return this.#retry('add access rules', () => createAcls(this.#client, rules));
  }

  removeRules(rules: readonly AccessRule[]): Promise<void> {
    return this.#retry('remove access rules', () => deleteAcls(this.#client, rules));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
  }

  #retry<T>(doing: string, action: () => Promise<T>): Promise<T> {
    return this.#client.retry({ doing }, action);
  }
}
