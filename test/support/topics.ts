import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import avsc from 'avsc';
import kafkajs, {
  type Admin,
  type IHeaders,
  type Kafka,
  type KafkaMessage,
  type Message,
  type Producer,
} from 'kafkajs';
import { waitFor } from './wait.ts';

export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
}

/** The shared broker of this run. @throws Error when there is none */
export function testBrokers(): string {
  return needed('ORDERCTL_TEST_BROKERS');
}

export function testRegistry(): string {
  return needed('ORDERCTL_TEST_REGISTRY');
}

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run these tests by "npm run test:kafka"`);
  return value;
}

function client(brokers: string): Kafka {
  return new kafkajs.Kafka({
    clientId: 'a-stranger',
    brokers: [brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 12 },
  });
}

/** Kafka as seen by a client other than orderctl. */
export async function withAdmin<T>(
  use: (admin: Admin) => Promise<T>,
  brokers: string = testBrokers(),
): Promise<T> {
  const admin = client(brokers).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** @param configs by name, such as `cleanup.policy` */
export async function createTopic(
  topic: string,
  partitions: number,
  brokers?: string,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  await withAdmin(async (admin) => {
    await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, configEntries }],
    });
    // Waits here, because kafkajs waits for leaders and fails where a broker does not know the topic yet.
    await waitFor(`leaders of ${topic}`, async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => ({ topics: [] }));
      const found = topics[0]?.partitions ?? [];
      return found.length === partitions && found.every(({ leader }) => leader >= 0);
    });
  }, brokers);
}

export async function deleteTopic(topic: string, brokers?: string): Promise<void> {
  await withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    await waitFor(`${topic} to be gone`, async () => !(await admin.listTopics()).includes(topic));
  }, brokers);
}

/** Makes `offset` the first remaining offset of partition 0. */
export async function deleteRecordsBefore(topic: string, offset: number): Promise<void> {
  await withAdmin(async (admin) => {
    // kafkajs looks for the leader in metadata that only another call has loaded.
    await waitFor(`records of ${topic} to be deleted`, async () => {
      await admin.fetchTopicMetadata({ topics: [topic] });
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
      return true;
    });
  });
}

/** The end offsets by partition. */
export async function endOffsets(topic: string, brokers?: string): Promise<Map<number, number>> {
  const offsets = await withAdmin((admin) => admin.fetchTopicOffsets(topic), brokers);
  return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
}

export async function committedOffsets(
  group: string,
  topic: string,
  brokers?: string,
): Promise<Map<number, { offset: number; metadata: string | null }>> {
  const [answer] = await withAdmin(
    (admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }),
    brokers,
  );
  return new Map(
    (answer?.partitions ?? []).map(({ partition, offset, metadata }) => [
      partition,
      { offset: Number(offset), metadata },
    ]),
  );
}

/** A connected producer for many records; `sendRaw` is for a few. */
export async function openSender(
  topic: string,
): Promise<{ send: (messages: readonly Message[]) => Promise<void>; close: () => Promise<void> }> {
  const producer = await connectProducer(testBrokers());
  return {
    send: async (messages) => {
      await producer.send({ topic, messages: [...messages], acks: -1 });
    },
    close: () => producer.disconnect(),
  };
}

/**
 * Idempotent, because each record must exist once although the client resends what was not answered in time, and all
 * partitions when one of a new topic has no leader yet.
 */
async function connectProducer(brokers: string): Promise<Producer> {
  const options = { allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 };
  const producer = client(brokers).producer(options);
  await producer.connect();
  return producer;
}

export async function sendRaw(topic: string, messages: readonly Message[], brokers?: string): Promise<void> {
  const producer = await connectProducer(brokers ?? testBrokers());
  try {
    await producer.send({ topic, messages: [...messages], acks: -1 });
  } finally {
    await producer.disconnect();
  }
}

/** Every record of a topic, by partition and offset. */
export async function readTopic(topic: string, brokers: string = testBrokers()): Promise<TopicRecord[]> {
  const ends = await endOffsets(topic, brokers);
  const expected = [...ends.values()].reduce((sum, end) => sum + end, 0);
  const found: TopicRecord[] = [];
  if (expected === 0) return found;
  const consumer = client(brokers).consumer({
    groupId: `reader-${randomBytes(5).toString('hex')}`,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        found.push(toRecord(partition, message));
      },
    });
    await waitFor(
      `${expected} records of ${topic}`,
      () => found.length,
      (count) => count >= expected,
    );
  } finally {
    await consumer.disconnect();
  }
  return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

function toRecord(partition: number, message: KafkaMessage): TopicRecord {
  const { key, value, offset, headers } = message;
  return { partition, offset: Number(offset), key, value, headers: headers ?? {} };
}

/** A member of another program's consumer group, until the end of the test or `leave`. */
export async function joinGroup(
  group: string,
  topic: string,
  { autoCommit = true }: { autoCommit?: boolean } = {},
): Promise<{ leave: () => Promise<void>; commit: (offset: number) => Promise<void> }> {
  const consumer = client(testBrokers()).consumer({ groupId: group, maxWaitTimeInMs: 100 });
  let left = false;
  const leave = async (): Promise<void> => {
    if (left) return;
    left = true;
    await consumer.disconnect();
  };
  onTestFinished(leave);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
  });
  await consumer.run({ autoCommit, eachMessage: async () => undefined });
  await joined;
  const commit = (offset: number): Promise<void> =>
    consumer.commitOffsets([{ topic, partition: 0, offset: String(offset) }]);
  return { leave, commit };
}

/** Sets the committed offset of partition 0 without metadata, as another tool would. */
export async function moveGroup(group: string, topic: string, offset: number): Promise<void> {
  const member = await joinGroup(group, topic, { autoCommit: false });
  await member.commit(offset);
  await member.leave();
}

/** @param request must be repeatable: under load Apicurio answers 500 when it has waited too long for a lock */
async function askRegistry(
  request: { readonly method: string; readonly path: string; readonly body: object },
  registry: string = testRegistry(),
): Promise<unknown> {
  const { method, path, body } = request;
  const { status, text } = await waitFor(
    `an answer to ${method} ${path}`,
    async () => {
      const answer = await fetch(`${registry}${path}`, {
        method,
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify(body),
      });
      return { status: answer.status, text: await answer.text() };
    },
    (answer) => answer.status < 500,
  );
  if (status !== 200) throw new Error(`registry: ${status} ${text}`);
  return JSON.parse(text);
}

/** Registers a schema as any client would. @returns its id */
export async function registerSchema(subject: string, schema: object, registry?: string): Promise<number> {
  const body = { schema: JSON.stringify(schema) };
  const answer = await askRegistry({ method: 'POST', path: `/subjects/${subject}/versions`, body }, registry);
  return (answer as { id: number }).id;
}

/** Sets how the registry compares new versions of a subject: not every registry does by default. */
export async function setLevel(subject: string, compatibility: string): Promise<void> {
  await askRegistry({ method: 'PUT', path: `/config/${subject}`, body: { compatibility } });
}

/** A value in the Confluent wire format. */
export function confluentValue(schemaId: number, schema: object, value: unknown): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(schemaId, 1);
  return Buffer.concat([head, avsc.Type.forSchema(schema as avsc.Schema).toBuffer(value)]);
}

/** An order as JSON, ready to send. */
export function jsonOrder(
  orderId: string,
  user: string,
  items: Readonly<Record<string, number>>,
  createdAt = 1_760_000_000_000,
): Message {
  const lines = Object.entries(items).map(([item, quantity]) => ({ item, quantity }));
  return {
    key: orderId,
    value: JSON.stringify({ order_id: orderId, user, items: lines, created_at: createdAt }),
  };
}

/** Orders of alice for one pen each, with ids PREFIX-0 and so on. */
export function pens(prefix: string, count: number): ReturnType<typeof jsonOrder>[] {
  return Array.from({ length: count }, (_, i) => jsonOrder(`${prefix}-${i}`, 'alice', { pen: 1 }));
}
