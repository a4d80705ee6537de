import { beforeEach, describe, expect, it } from 'vitest';
import type { ConsumeOptions, ConsumeOrdersEvent, RunEvent, Service } from '../../src/app/run/events.ts';
import { consumeOrders } from '../../src/app/run/consume.ts';
import { StatusBoard } from '../../src/app/run/status/board.ts';
import { KindTally } from '../../src/app/run/status/tally.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { RunningConsumer } from '../../src/ports/owner.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';
import { ORDERS } from '../../src/processors/orders/processor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { encodeOrder, PlainCodec } from '../support/plain-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

let clock: FakeClock;
let folder: ModelFolder;
let broker: ScriptedBroker;
const codec = new PlainCodec();

beforeEach(async () => {
  clock = new FakeClock();
  folder = new ModelFolder(clock);
  broker = new ScriptedBroker();
  broker.createTopic('orders', 2);
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'book', quantity: 10 });
  for (let i = 0; i < 7; i++) {
    const order = {
      orderId: `A-${i}`,
      user: 'alice',
      items: [{ item: 'book', quantity: 2, unitPrice: null }],
    };
    broker.append('orders', 0, { value: encodeOrder({ ...order, createdAt: 1 }) });
  }
});

/** Consumes to the end and asks for the status at each event. */
async function statuses(options: Partial<ConsumeOptions> = {}): Promise<Map<string, RunningConsumer | null>> {
  const asked: Promise<[string, RunningConsumer | null]>[] = [];
  const ask = ({ kind }: ConsumeOrdersEvent): void =>
    void asked.push(folder.consumerStatus().then((status) => [kind, status]));
  await consumeOrders(
    { access: folder, broker, codecOf: async () => codec, clock },
    {
      names: new Map(),
      shop: PLAIN_SHOP,
      group: 'g',
      untilEnd: true,
      maxMessages: null,
      reset: null,
      adopt: false,
      create: true,
      signal: new AbortController().signal,
      on: ask,
      ...options,
    },
  );
  return new Map(await Promise.all(asked));
}

const SERVICE: Service = { processor: ORDERS, group: 'g', tally: new KindTally() };

function boardOf(time: Clock): StatusBoard {
  const { signal } = new AbortController();
  return new StatusBoard([SERVICE], { names: new Map([['orders', 't']]), signal }, time);
}

describe('the status of a consumer', () => {
  it('tells of each stage, from the counters of the summary', async () => {
    broker.batchRecords = 3;
    const at = await statuses();
    expect(at.get('topic_created')?.status).toMatchObject({
      state: 'starting',
      lag: null,
      lastCommitAt: null,
    });
    expect(at.get('started')?.status).toMatchObject({
      state: 'consuming',
      waitingFor: null,
      topic: 'orders',
      group: 'g',
      lag: 7,
      lastCommitAt: null,
      counts: { read: 0, accepted: 0, rejected: 0, duplicates: 0, conflicts: 0, deadLettered: 0 },
    });
    expect(at.get('summary')?.status).toMatchObject({
      state: 'stopping',
      lag: 0,
      lastCommitAt: clock.now(),
      counts: { read: 7, accepted: 5, rejected: 2, duplicates: 0, conflicts: 0, deadLettered: 0 },
    });
    expect(await folder.consumerStatus()).toBeNull();
  });

  it('names what it waits for, and no longer when that is back', async () => {
    codec.decodeFailures.push(new Failure('registry_unreachable', 'the registry is away'));
    const at = await statuses();
    expect(at.get('waiting')?.status).toMatchObject({ state: 'waiting', waitingFor: 'registry' });
    expect(at.get('resumed')?.status).toMatchObject({ state: 'consuming', waitingFor: null });
  });

  it('does not wait for the word of the consumer to say that the brokers do not answer', () => {
    const board = boardOf(new FakeClock());
    board.attach([{ service: SERVICE, lag: 3, partitions: [] }]);
    const totals = () => SERVICE.tally.totals();
    board.take({ kind: 'started', processor: 'orders', topics: ['t'], group: 'g', remaining: 3, totals });
    board.take({ kind: 'silent', processor: 'orders' });
    expect(board.status()).toMatchObject({ state: 'waiting', waitingFor: 'broker', lag: null });
    board.take({ kind: 'answered', processor: 'orders' });
    expect(board.status()).toMatchObject({ state: 'consuming', waitingFor: null, lag: 3 });
  });
});

it('names the files that are broken, until they are mended', () => {
  const board = boardOf(new FakeClock());
  const broken = { file: 'users.csv', line: 2, message: 'users.csv:2: no status', fix: null };
  for (const line of [2, 3]) {
    board.take({ kind: 'notice', notice: { kind: 'file_broken', ...broken, line } });
    expect(board.status().brokenFiles).toEqual([{ ...broken, line }]);
  }
  board.take({ kind: 'notice', notice: { kind: 'file_mended', file: 'inventory.csv' } });
  expect(board.status().brokenFiles).toHaveLength(1);
  board.take({ kind: 'notice', notice: { kind: 'file_mended', file: 'users.csv' } });
  expect(board.status().brokenFiles).toEqual([]);
});

describe('the rate', () => {
  const batch = (records: number): RunEvent => {
    return { kind: 'committed', processor: 'orders', records, commitSeconds: 0.001, latencySeconds: null };
  };

  it('is over the last ten seconds, and falls to nothing when nothing comes', () => {
    const time = new FakeClock();
    const board = boardOf(time);
    const rate = (): number => board.status().ordersPerSecond;
    expect(rate()).toBe(0);
    board.take(batch(50));
    expect(rate()).toBe(50);
    time.time += 2_000;
    expect(rate()).toBe(25);
    for (let second = 0; second < 60; second++) {
      time.time += 500;
      board.take(batch(20));
      time.time += 500;
      board.take(batch(20));
    }
    expect(rate()).toBeGreaterThan(36);
    expect(rate()).toBeLessThan(44);
    time.time += 12_000;
    expect(rate()).toBe(0);
  });
});
