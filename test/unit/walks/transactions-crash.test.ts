import kafkajs, { type Kafka } from 'kafkajs';
import { expect, it } from 'vitest';

import { tries } from '../../support/effort.ts';
import { killableBrokers } from '../../support/killable-broker.ts';
import { waitFor } from '../../support/wait.ts';

const start = killableBrokers();
const TRANSACTIONS = tries(20, 12);
const RECORDS_EACH = 5;
const TOPIC = 'moved';
const GROUP = 'mover';

function client(address: string): Kafka {
  return new kafkajs.Kafka({
    brokers: [address],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 20, maxRetryTime: 200, retries: 8 },
  });
}

/** How many records have been moved, by the group's offset: a transaction has it and the records, or neither. */
async function position(kafka: Kafka): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const [topic] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] });
    return Math.max(0, Number(topic?.partitions[0]?.offset));
  } finally {
    await admin.disconnect();
  }
}

type Moment = 'before the records' | 'before the offsets' | 'before the commit' | 'in the commit';
const MOMENTS: readonly Moment[] = [
  'before the records',
  'before the offsets',
  'before the commit',
  'in the commit',
];

/** Moves records in transactions until all are, or something fails; `at` is called at each moment. */
async function move(kafka: Kafka, at: (moment: Moment) => Promise<void>): Promise<void> {
  const producer = kafka.producer({ transactionalId: 'mover', idempotent: true, maxInFlightRequests: 1 });
  // Fences the one that moved before, and aborts what it left open.
  await producer.connect();
  try {
    let next = await position(kafka);
    while (next < TRANSACTIONS * RECORDS_EACH) {
      const transaction = await producer.transaction();
      const first = next;
      const messages = Array.from({ length: RECORDS_EACH }, (_, index) => ({ value: `${first + index}` }));
      await at('before the records');
      await transaction.send({ topic: TOPIC, messages });
      next += RECORDS_EACH;
      const partitions = [{ partition: 0, offset: `${next}` }];
      await at('before the offsets');
      await transaction.sendOffsets({ consumerGroupId: GROUP, topics: [{ topic: TOPIC, partitions }] });
      await at('before the commit');
      const committing = transaction.commit();
      await Promise.all([committing, at('in the commit')]);
      expect(await position(kafka)).toBe(next);
    }
  } finally {
    await producer.disconnect();
  }
}

async function committedValues(kafka: Kafka, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: 'reader', readUncommitted: false });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  const values: string[] = [];
  await consumer.run({
    eachMessage: async ({ message }) => void values.push(message.value?.toString() ?? ''),
  });
  await waitFor('all records', () => values.length >= count);
  await consumer.disconnect();
  return values;
}

it(
  'a transaction has its records and its offsets, or neither, wherever the broker is killed',
  { timeout: 120_000 },
  async () => {
    const broker = await start();
    const kafka = client(broker.address);
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] });
    await admin.disconnect();

    let transactions = 0;
    let kills = 0;
    const killNowAndThen = async (moment: Moment) => {
      if (moment === 'before the records') transactions += 1;
      if (transactions % 3 !== 2 || moment !== MOMENTS[kills % MOMENTS.length]) return;
      kills += 1;
      transactions += 1;
      await broker.killAndRestart();
    };
    let failures = 0;
    for (;;) {
      const failure: unknown = await move(kafka, killNowAndThen).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure === undefined) break;
      if (failure instanceof Error && failure.name === 'AssertionError') throw failure;
      failures += 1;
      expect(failures).toBeLessThan(20);
    }
    expect(kills).toBeGreaterThanOrEqual(tries(2, 1) * MOMENTS.length);
    const expected = Array.from({ length: TRANSACTIONS * RECORDS_EACH }, (_, index) => `${index}`);
    expect(await position(kafka)).toBe(expected.length);
    expect(await committedValues(kafka, expected.length)).toEqual(expected);
  },
);
