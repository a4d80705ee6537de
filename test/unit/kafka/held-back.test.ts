import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKafkaBroker } from '../../../src/adapters/kafka/kafka-broker.ts';
import type { Leaders } from '../../../src/adapters/kafka/consume/leaders.ts';
import { Slots, type HeldBack } from '../../../src/adapters/kafka/consume/slots.ts';
import { Watch } from '../../../src/adapters/kafka/consume/watch.ts';
import type { ConsumerEvent } from '../../../src/ports/broker.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';

/* Records behind a transaction that another producer left open are not read, and that is reported. */

const { start } = embeddedBroker();
const OF = { topic: 'orders', partition: 0 };

describe('while a run goes on', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function opened(stallTimeoutMs: number | null) {
    let held: HeldBack[] = [];
    const events: ConsumerEvent[] = [];
    const watch = new Watch({
      addresses: '127.0.0.1:9',
      addressOf: () => undefined,
      stallTimeoutMs,
      owed: () => [],
      heldBack: () => held,
      onEvent: (event) => events.push(event),
      onStalled: () => undefined,
    });
    watch.start();
    return { watch, events, hold: (...now: HeldBack[]) => (held = now) };
  }

  it('it is reported after 10 s, and again every 30 s', async () => {
    const { watch, events, hold } = opened(null);
    hold({ ...OF, from: 17, to: 29, since: performance.now() });
    await vi.advanceTimersByTimeAsync(9_900);
    expect(events).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(events).toEqual([{ kind: 'held_back', ranges: [{ ...OF, from: 17, to: 29 }] }]);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(events).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(events).toHaveLength(2);
    hold();
    await vi.advanceTimersByTimeAsync(60_000);
    watch.stop();
    expect(events).toHaveLength(2);
  });

  it('a stop reports it only where nothing else will read on', () => {
    for (const [stallTimeoutMs, reports] of [[null, 0] as const, [60_000, 1] as const]) {
      const { watch, events, hold } = opened(stallTimeoutMs);
      hold({ ...OF, from: 17, to: 29, since: performance.now() });
      watch.stop();
      watch.stop();
      expect(events).toHaveLength(reports);
    }
  });

  it('transactions that end one after the other are not one that stays open', () => {
    const slots = new Slots({
      leaders: { of: () => undefined, lastOf: () => null } as unknown as Leaders,
      signal: new AbortController().signal,
      onDropped: () => undefined,
      onDoubt: () => undefined,
      onRested: () => undefined,
    });
    const slot = slots.add(OF);
    const from = performance.now();
    const saw = (stableEnd: number, highWatermark: number): readonly HeldBack[] => {
      slots.sawEnds(slot, { stableEnd, highWatermark });
      return slots.heldBack();
    };
    expect(saw(3, 5)).toEqual([{ ...OF, from: 3, to: 5, since: from }]);
    vi.advanceTimersByTime(1_000);
    expect(saw(3, 7)).toEqual([{ ...OF, from: 3, to: 7, since: from }]);
    expect(saw(7, 9)).toEqual([{ ...OF, from: 7, to: 9, since: from + 1_000 }]);
    expect(saw(9, 9)).toEqual([]);
  });
});

it('a run that ends by itself reports what it leaves behind an open transaction', async () => {
  const { address } = await start();
  const broker = createKafkaBroker({
    brokers: [address],
    clientId: 'held',
    tls: null,
    sasl: null,
    onLog: () => undefined,
  });
  await using admin = await broker.admin();
  await admin.createTopic('orders', { partitions: 1 });
  await using producer = await broker.producer();
  await producer.send('orders', [{ key: null, value: Buffer.from('a') }]);
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const other = kafka.producer({ transactionalId: 'other', idempotent: true, maxInFlightRequests: 1 });
  await other.connect();
  const transaction = await other.transaction();
  await transaction.send({ topic: 'orders', messages: [{ value: 'b' }] });
  await producer.send('orders', [{ key: null, value: Buffer.from('c') }]);
  const events: ConsumerEvent[] = [];
  const stop = new AbortController();
  await using consumer = await broker.consumer();
  await consumer.run(
    {
      topics: ['orders'],
      group: 'held',
      storeId: 'store',
      mode: 'exclusive',
      clientId: 'held',
      metadata: 'mark',
      positions: () => [],
      onEvent: (event) => events.push(event),
      stallTimeoutMs: 60_000,
      signal: stop.signal,
    },
    async (batch) => {
      expect(batch.next).toBe(1);
      stop.abort();
      return batch.next;
    },
  );
  expect(events.filter(({ kind }) => kind === 'held_back')).toEqual([
    { kind: 'held_back', ranges: [{ ...OF, from: 1, to: 3 }] },
  ]);
  await transaction.abort();
  await other.disconnect();
});
