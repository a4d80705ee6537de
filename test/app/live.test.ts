import { expect, it } from 'vitest';
import { followAlerts, type Alert } from '../../src/app/live/alert-tail.ts';
import { SharedReader } from '../../src/app/intake/shared-reader.ts';
import { OrderMoves } from '../../src/app/live/order-moves.ts';
import { ShopWatch } from '../../src/app/live/shop-watch.ts';
import { stockChangesIn } from '../../src/app/live/stock-changes.ts';
import { CHECKOUT, type CheckoutFact, type CheckoutStep } from '../../src/domain/checkout/facts.ts';
import { newFact } from '../../src/domain/facts.ts';
import { Failure } from '../../src/domain/failure.ts';
import { isoTime } from '../../src/domain/iso-time.ts';
import type { BrokerRecord } from '../../src/ports/broker.ts';
import type { HistoryLine } from '../../src/ports/store.ts';
import { decideRecords, recordOf } from '../support/decided.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const onNotice = (): void => undefined;

async function shop(): Promise<ModelFolder> {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 50 });
  return folder;
}

async function step(folder: ModelFolder, order_id: string, what: CheckoutStep): Promise<void> {
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice });
  await store.transact({}, ({ at }) => {
    const fact = { order_id, step: what, at: isoTime(at), topic: 't', partition: 0, offset: 0 };
    return { changes: { facts: [newFact(CHECKOUT, fact as CheckoutFact)] }, result: null };
  });
}

async function decide(folder: ModelFolder, id: string, items: Record<string, number>): Promise<void> {
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice });
  await decideRecords(store, [recordOf('orders', 1, id, 'alice', items)]);
}

/** All lines of a folder. */
async function historyOf(folder: ModelFolder): Promise<HistoryLine[]> {
  await using reader = await folder.read();
  const lines: HistoryLine[] = [];
  for await (const chunk of reader.history([CHECKOUT])) lines.push(...chunk);
  return lines;
}

it('steps lead to the status of all steps, also of an order whose beginning was not seen', async () => {
  const folder = await shop();
  const moves = new OrderMoves(new SharedReader(() => folder.read()));
  const seen: string[] = [];
  const look = async (from: number): Promise<void> => {
    const lines = (await historyOf(folder)).slice(from);
    for (const { fact, status } of await moves.in(lines))
      seen.push(`${fact.order_id} ${fact.step} ${status}`);
  };
  await step(folder, 'C-1', 'validated');
  await step(folder, 'C-1', 'paid');
  const { length } = await historyOf(folder);
  await step(folder, 'C-2', 'validated');
  await step(folder, 'C-2', 'paid');
  await step(folder, 'C-1', 'gone');
  await look(length);
  const after = (await historyOf(folder)).length;
  await step(folder, 'C-2', 'reserved');
  await step(folder, 'C-1', 'refunded');
  await look(after);
  expect(seen).toEqual([
    'C-2 validated VALIDATED',
    'C-2 paid PAID',
    'C-1 gone PAID',
    'C-2 reserved COMPLETED',
    'C-1 refunded FAILED',
  ]);
});

it('stock is that after the latest change of each item, whatever changed it', async () => {
  const folder = await shop();
  await folder.edit({ kind: 'item.add', item: 'ink', quantity: 5 });
  await folder.edit({ kind: 'item.add', item: 'old', quantity: 5 });
  await folder.edit({ kind: 'item.remove', item: 'old' });
  await decide(folder, 'D-1', { pen: 3 });
  await decide(folder, 'D-2', { pen: 1_000 });
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice });
  await decideRecords(store, [
    {
      ...recordOf('orders', 2, 'D-3', 'alice', {}),
      // Two lines of one item.
      order: {
        orderId: 'D-3',
        user: 'alice',
        createdAt: 0,
        items: [1, 4].map((quantity) => ({ item: 'pen', quantity, unitPrice: null })),
      },
    },
  ]);
  const movement = { item: 'ink', delta: -2, cause: 'reservation', orderId: 'C-1', eventId: null } as const;
  await store.transact({ items: ['ink'] }, () => ({ changes: { movements: [movement] }, result: null }));
  const changes = stockChangesIn(await historyOf(folder));
  expect(changes.map(({ item, quantity, cause, orderId }) => [item, quantity, cause, orderId])).toEqual([
    ['pen', 42, 'sale', 'D-3'],
    ['ink', 3, 'reservation', 'C-1'],
    ['old', null, 'edit', null],
  ]);
});

it('who waits for an order hears of each step, and of those that were missed', async () => {
  const folder = await shop();
  const watch = new ShopWatch();
  const stop = new AbortController();
  let gaps = 0;
  let fails = false;
  const flaky = Object.assign(Object.create(folder) as ModelFolder, {
    read: async () => {
      if (fails) throw new Failure('corrupt_state', 'away');
      return folder.read();
    },
  });
  const following = watch.follow(flaky, folder.clock, stop.signal, {
    onLines: async () => {
      if (fails) throw new Failure('corrupt_state', 'away');
    },
    onGap: () => (gaps += 1),
  });
  const never = new AbortController().signal;
  const turns = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  {
    using wait = watch.waitFor('C-1');
    await turns(5);
    await step(folder, 'C-1', 'validated');
    await wait.next(never);
    const next = wait.next(never).then(() => 'C-1');
    await step(folder, 'C-2', 'validated');
    expect(await Promise.race([next, turns(10).then(() => 'nothing')])).toBe('nothing');
    await decide(folder, 'C-1', { pen: 1 });
    expect(await next).toBe('C-1');
    // It has passed before anybody asks.
    await step(folder, 'C-1', 'paid');
    await turns(10);
    await wait.next(never);
  }
  expect(gaps).toBe(0);
  using later = watch.waitFor('C-3');
  fails = true;
  await step(folder, 'C-9', 'validated');
  await turns(10);
  await step(folder, 'C-3', 'validated');
  fails = false;
  await later.next(never);
  expect(gaps).toBe(1);
  stop.abort();
  await following;
  await later.next(stop.signal);
});

it('alerts are read from where they were, on through an outage, and a part that was not read is a gap', async () => {
  const broker = new ScriptedBroker();
  broker.createTopic('alerts', 2);
  const clock = new FakeClock();
  const stop = new AbortController();
  const codec = {
    decode: async (records: readonly BrokerRecord[]) =>
      records.map(({ value }) => ({ kind: 'message', value: { item: String(value) } as Alert }) as const),
  };
  const found: string[] = [];
  let gaps = 0;
  let looks = 0;
  let isAway = false;
  const alert = (partition: number, item: string): void =>
    void broker.append('alerts', partition, { value: item as unknown as Uint8Array });
  alert(0, 'before');
  const flaky = Object.assign(Object.create(broker) as ScriptedBroker, {
    admin: async () => {
      looks += 1;
      if (isAway) throw new Failure('broker_unreachable', 'away');
      const admin = await broker.admin();
      const ranges = admin.ranges.bind(admin);
      admin.ranges = async (topic) => {
        looks += 1;
        if (isAway) throw new Failure('broker_unreachable', 'away');
        return ranges(topic);
      };
      return admin;
    },
  });
  const following = followAlerts(
    { broker: flaky, codec: async () => codec, clock, topic: 'alerts' },
    stop.signal,
    { onAlerts: (alerts) => found.push(...alerts.map(({ item }) => item)), onGap: () => (gaps += 1) },
  );
  const looked = async (): Promise<void> => {
    const until = looks + 3;
    while (looks < until) await new Promise((resolve) => setImmediate(resolve));
  };
  await looked();
  alert(0, 'one');
  alert(1, 'two');
  await looked();
  isAway = true;
  alert(1, 'three');
  await looked();
  isAway = false;
  await looked();
  expect([found, gaps]).toEqual([['one', 'two', 'three'], 0]);
  for (let n = 0; n < 2_001; n += 1) alert(0, 'many');
  await looked();
  expect([found.length, gaps]).toEqual([2_003, 1]);
  // The topic was created again.
  broker.createTopic('alerts', 2);
  alert(0, 'new');
  await looked();
  expect([found.at(-1), gaps]).toEqual(['new', 2]);
  stop.abort();
  await following;
});
