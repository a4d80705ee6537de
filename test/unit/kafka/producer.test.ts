import { expect, onTestFinished, test } from 'vitest';

import { createProducer } from '../../../src/adapters/kafka/produce/producer.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { Producer, SendRecord } from '../../../src/ports/broker.ts';
import { ScriptedCluster, type Arrived } from '../../support/scripted-cluster.ts';
import { waitFor } from '../../support/wait.ts';

async function producerOf(cluster: ScriptedCluster): Promise<Producer> {
  const producer = await createProducer({ brokers: cluster.addresses, clientId: 'c', tls: null, sasl: null });
  onTestFinished(() => producer[Symbol.asyncDispose]());
  return producer;
}

/** Without keys: they go round the partitions. */
const records = (count: number, sizeBytes = 1): SendRecord[] =>
  Array.from({ length: count }, () => ({ key: null, value: Buffer.alloc(sizeBytes) }));

const UNKNOWN_TOPIC = 3;
const REQUEST_TIMED_OUT = 7;
const NOT_LEADER = 6;
const NOT_ENOUGH_REPLICAS = 19;
const NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20;
const INVALID_TIMESTAMP = 32;
const OUT_OF_ORDER_SEQUENCE = 45;
const DUPLICATE_SEQUENCE = 46;
const TOPIC_AUTHORIZATION_FAILED = 29;
const INVALID_RECORD = 87;

test('a silent node holds up its own partitions only, and they go to their new leader soon', async () => {
  const cluster = await ScriptedCluster.start(3, [0, 1, 2]);
  const producer = await producerOf(cluster);
  expect((await producer.send('t', records(3))).failure).toBeNull();
  cluster.silent.add(0);
  const startedAt = performance.now();
  const sending = producer.send('t', records(3));
  await waitFor(
    'the others',
    () => cluster.arrived.length,
    (arrived) => arrived >= 5,
  );
  // Silence is over after 3 s: so it was not waited for.
  expect(performance.now() - startedAt).toBeLessThan(2_500);
  cluster.leaders = [1, 1, 2];
  const movedAt = performance.now();
  const { outcomes, failure } = await sending;
  expect(failure).toBeNull();
  expect(outcomes.every((outcome) => typeof outcome === 'object')).toBe(true);
  expect(performance.now() - movedAt).toBeLessThan(6_000);
});

test('a topic that was deleted and made again with fewer partitions is sent to by the new ones', async () => {
  const cluster = await ScriptedCluster.start(1, [0, 0, 0]);
  cluster.answer = ({ partition }) => (partition < cluster.leaders.length ? 0 : UNKNOWN_TOPIC);
  const producer = await producerOf(cluster);
  expect((await producer.send('t', records(3))).failure).toBeNull();
  cluster.leaders = [];
  expect((await producer.send('t', records(3))).failure).toMatchObject({ code: 'not_found' });
  cluster.leaders = [0];
  const startedAt = performance.now();
  const { outcomes, failure } = await producer.send('t', records(3));
  expect(failure).toBeNull();
  expect(outcomes.map((outcome) => typeof outcome === 'object' && outcome.partition)).toEqual([0, 0, 0]);
  // By the partitions of the old one it is given up after 30 s.
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

test('what a partition without a leader cannot take keeps no other waiting, and is not sent', async () => {
  const cluster = await ScriptedCluster.start(2, [0, -1, 1]);
  const producer = await producerOf(cluster);
  const stop = new AbortController();
  const sending = producer.send('t', records(3), { signal: stop.signal });
  await waitFor(
    'the others',
    () => cluster.arrived.length,
    (arrived) => arrived >= 2,
  );
  stop.abort();
  const { outcomes, failure } = await sending;
  expect(outcomes.map((outcome) => (typeof outcome === 'object' ? 'sent' : outcome))).toEqual([
    'sent',
    'not_sent',
    'sent',
  ]);
  expect(failure).toMatchObject({ code: 'broker_unreachable', context: { topic: 't' } });
});

const GIVEN_UP = [
  ['silence', 'silent', 'unknown'],
  ['a lost connection', 'close', 'unknown'],
  ['a leader that waited for its replicas in vain', REQUEST_TIMED_OUT, 'unknown'],
  ['replicas that went after it was stored', NOT_ENOUGH_REPLICAS_AFTER_APPEND, 'unknown'],
  ['too few replicas to begin with', NOT_ENOUGH_REPLICAS, 'not_sent'],
  ['a node that leads no more', NOT_LEADER, 'not_sent'],
  ['no permission', TOPIC_AUTHORIZATION_FAILED, 'not_sent'],
] as const;

test('a record that is given up is reported correctly, whatever it met', async () => {
  // At once: each waits for as long as a stop may take.
  const given = GIVEN_UP.map(async ([what, answer, expected]) => {
    const cluster = await ScriptedCluster.start(1, [0, 0]);
    cluster.answer = ({ partition }) => (partition === 0 ? answer : 0);
    const producer = await producerOf(cluster);
    const stop = new AbortController();
    const sending = producer.send('t', records(2), { signal: stop.signal });
    await waitFor(
      'an attempt',
      () => cluster.arrived.length,
      (arrived) => arrived >= 1,
    );
    stop.abort();
    const { outcomes, failure } = await sending;
    expect(outcomes[0], what).toBe(expected);
    expect(failure, what).toBeInstanceOf(Failure);
  });
  await Promise.all(given);
});

test('a send that begins after the stop has no longer than one that was under way', async () => {
  const cluster = await ScriptedCluster.start(1, [0]);
  cluster.answer = () => 'silent';
  const producer = await producerOf(cluster);
  const startedAt = performance.now();
  expect(await producer.send('t', records(1), { signal: AbortSignal.abort() })).toMatchObject({
    outcomes: ['unknown'],
  });
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test('a batch in doubt goes again under its own sequence number, before any other of its partition', async () => {
  const cluster = await ScriptedCluster.start(1, [0]);
  const answers = [REQUEST_TIMED_OUT, NOT_LEADER, DUPLICATE_SEQUENCE];
  cluster.answer = () => answers.shift() ?? 0;
  const producer = await producerOf(cluster);
  const { outcomes, failure } = await producer.send('t', records(3));
  expect(failure).toBeNull();
  // The broker no longer says where it is.
  expect(outcomes).toEqual(outcomes.map(() => ({ partition: 0, offset: -1 })));
  await producer.send('t', records(1));
  expect(cluster.arrived.map(({ producerId, sequence }) => `${producerId}:${sequence}`)).toEqual([
    '1:0',
    '1:0',
    '1:0',
    '1:3',
  ]);
});

test('records of a send after one that was given up never pass for those', async () => {
  const cluster = await ScriptedCluster.start(1, [0]);
  cluster.answer = () => (cluster.arrived.length === 1 ? 'silent' : 0);
  const producer = await producerOf(cluster);
  const stop = new AbortController();
  const sending = producer.send('t', records(1), { signal: stop.signal });
  await waitFor(
    'it',
    () => cluster.arrived.length,
    (arrived) => arrived === 1,
  );
  cluster.answer = () => 'silent';
  stop.abort();
  expect(await sending).toMatchObject({ outcomes: ['unknown'] });
  cluster.answer = () => 0;
  const before = cluster.arrived.length;
  expect(await producer.send('t', records(1))).toMatchObject({ failure: null });
  await producer.send('t', records(1));
  expect(cluster.arrived.slice(before).map(({ producerId, sequence }) => [producerId, sequence])).toEqual([
    [2, 0],
    [2, 1],
  ]);
});

test('a broker that lost the sequence gets what it did not take under a new producer id', async () => {
  const cluster = await ScriptedCluster.start(2, [0, 1]);
  const producer = await producerOf(cluster);
  await producer.send('t', records(4));
  cluster.answer = ({ partition, producerId }) =>
    partition === 0 && producerId === 1 ? OUT_OF_ORDER_SEQUENCE : 0;
  expect((await producer.send('t', records(4))).failure).toBeNull();
  const last = cluster.arrived.filter(({ partition }) => partition === 0).at(-1);
  expect(last).toMatchObject({ producerId: 2, sequence: 0, records: 2 });
});

test('a batch is no larger than Kafka takes by default', async () => {
  const cluster = await ScriptedCluster.start(1, [0]);
  const producer = await producerOf(cluster);
  expect((await producer.send('t', records(3_000, 1_000))).failure).toBeNull();
  expect(cluster.arrived.length).toBeGreaterThan(1);
  for (const { sizeBytes } of cluster.arrived) expect(sizeBytes).toBeLessThanOrEqual(1_048_588);
});

test('a topic created again with fewer partitions ends a send, and the next one uses the partitions there are', async () => {
  const cluster = await ScriptedCluster.start(1, [0, 0]);
  const producer = await producerOf(cluster);
  await producer.send('t', records(2));
  cluster.leaders = [0];
  cluster.answer = ({ partition }) => (partition === 1 ? 3 : 0);
  const stop = new AbortController();
  const sending = producer.send('t', records(2), { signal: stop.signal });
  await waitFor(
    'both',
    () => cluster.arrived.length,
    (arrived) => arrived >= 4,
  );
  stop.abort();
  expect(await sending).toMatchObject({ outcomes: [{ partition: 0 }, 'not_sent'] });
  expect(await producer.send('t', records(2))).toMatchObject({
    outcomes: [{ partition: 0 }, { partition: 0 }],
    failure: null,
  });
});

test('a record that a topic does not take is found in its batch, and the others are sent', async () => {
  const cluster = await ScriptedCluster.start(1, [0]);
  // As a compacted topic: the whole batch is refused for one record without a key, here the large one.
  cluster.answer = ({ sizeBytes }) => (sizeBytes > 5_000 ? INVALID_RECORD : 0);
  const producer = await producerOf(cluster);
  const mixed = [...records(2), ...records(1, 9_000), ...records(1)];
  expect(await producer.send('t', mixed)).toEqual({
    outcomes: [
      { partition: 0, offset: 0 },
      { partition: 0, offset: 1 },
      'refused',
      { partition: 0, offset: 2 },
    ],
    failure: null,
  });
});

test('what a broker whose clock is wrong refuses is sent again, until its clock is right', async () => {
  const cluster = await ScriptedCluster.start(1, [0]);
  cluster.answer = () => (cluster.arrived.length < 3 ? INVALID_TIMESTAMP : 0);
  const producer = await producerOf(cluster);
  expect(await producer.send('t', records(2))).toEqual({
    outcomes: [
      { partition: 0, offset: 0 },
      { partition: 0, offset: 1 },
    ],
    failure: null,
  });
  expect(cluster.arrived).toHaveLength(3);
  const [{ timestampMs, ...first }, ...again] = cluster.arrived as [Arrived, ...Arrived[]];
  for (const batch of again) {
    expect(batch).toMatchObject(first);
    // Of when it is sent: it may be this machine whose clock was wrong.
    expect(batch.timestampMs).toBeGreaterThan(timestampMs);
  }
});
