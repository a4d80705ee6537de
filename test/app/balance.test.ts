import { expect, it } from 'vitest';
import { keptView } from '../../src/app/intake/shared-reader.ts';
import { RunningBalance } from '../../src/app/overview/balance.ts';
import { givingWay } from '../../src/app/overview/give-way.ts';
import { OverviewWatch, type Overview } from '../../src/app/overview/overview.ts';
import type { KafkaWatch } from '../../src/app/overview/kafka-watch.ts';
import type { Balance } from '../../src/domain/balance.ts';
import type { CheckoutStep } from '../../src/domain/checkout/facts.ts';
import { CHECKOUT } from '../../src/domain/checkout/facts.ts';
import { newFact } from '../../src/domain/facts.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Movement } from '../../src/domain/movement.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { StoreInspection } from '../../src/ports/health.ts';
import type { Changes } from '../../src/ports/store.ts';
import { decideRecords, recordOf } from '../support/decided.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

const running = new RunningBalance();

/** How many lines of history were read for it. */
async function look(folder: ModelFolder, balance = running): Promise<{ balance: Balance; lines: number }> {
  const inspection = await folder.inspect();
  let lines = 0;
  const counted = async function* (chunks: ReturnType<typeof inspection.historyFrom>) {
    for await (const chunk of chunks) {
      lines += chunk.length;
      yield chunk;
    }
  };
  const historyFrom: typeof inspection.historyFrom = (from, facts) =>
    counted(inspection.historyFrom(from, facts));
  return { balance: await balance.as({ ...inspection, historyFrom }), lines };
}

async function commit(folder: ModelFolder, changes: Changes): Promise<void> {
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  await store.transact({}, () => ({ changes, result: undefined }));
}

function moved(cause: Movement['cause'], delta: number): Movement {
  return { item: 'pen', delta, cause, orderId: null, eventId: null };
}

function steps(order_id: string, ...names: readonly CheckoutStep[]): Changes {
  return { facts: names.map((step) => newFact(CHECKOUT, { order_id, step } as never)) };
}

it('the balance of the page reads each line once, and is what adding up all of them gives', async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 20 });
  expect(await look(folder)).toMatchObject({
    lines: 2,
    balance: { putIn: 20, sold: 0, returned: 0, onHand: 20, difference: null },
  });

  await commit(folder, { movements: [moved('reservation', -5), moved('release', 2), moved('restock', 4)] });
  await commit(folder, steps('C-1', 'validated', 'charge_owed'));
  expect(await look(folder)).toMatchObject({
    lines: 5,
    balance: { putIn: 24, sold: 5, returned: 2, onHand: 21, orders: { VALIDATED: 1 } },
  });

  const store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  await decideRecords(store, [
    recordOf('orders', 0, 'A', 'alice', { pen: 3 }),
    recordOf('orders', 1, 'B', 'bob', { pen: 1 }),
  ]);
  await store[Symbol.asyncDispose]();
  await commit(folder, steps('C-1', 'paid', 'reserved'));
  await folder.edit({ kind: 'item.update', item: 'pen', quantity: 10 });
  const last = await look(folder);
  expect(last).toMatchObject({
    lines: 5,
    balance: {
      putIn: 16,
      sold: 8,
      returned: 2,
      onHand: 10,
      accepted: 1,
      rejected: 1,
      difference: null,
      orders: { VALIDATED: 0, COMPLETED: 2, REJECTED: 1 },
    },
  });
  const whole = await look(folder, new RunningBalance());
  expect(whole).toEqual({ balance: last.balance, lines: 12 });
  expect(await look(folder)).toEqual({ balance: last.balance, lines: 0 });

  folder.tables.items.delete('pen');
  expect((await look(folder)).balance.difference).toEqual({ item: 'pen', expected: 10, actual: 0 });
  // An earlier copy is in its place: it is added up from its beginning.
  folder.history.length = 2;
  await expect(look(folder)).rejects.toMatchObject({ code: 'changed_since' });
  expect(await look(folder)).toMatchObject({ lines: 2, balance: { putIn: 20, sold: 0 } });
});

it('what was read is looked at again after a while: a line that was changed since makes a difference', async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 20 });
  const kafka = { follow: async () => undefined, latest: null } as unknown as KafkaWatch;
  const view = await keptView(folder);
  const watch = new OverviewWatch({ access: folder, view, kafka, parts: () => null, clock: folder.clock });
  const seen: unknown[] = [];
  const stop = new AbortController();
  await watch.follow(stop.signal, ({ balance }) => {
    // Reading them may take longer than a look.
    if (balance === null || seen.includes(balance.difference)) return;
    seen.push(balance.difference);
    folder.history.length = 0;
    folder.history.push({
      kind: 'movement',
      seq: 1,
      at: 1,
      movement: { ...moved('restock', 7), seq: 1, at: 1, onHand: 7 },
    });
    if (seen.length === 2) stop.abort();
  });
  expect(seen).toEqual([null, { item: 'pen', expected: 7, actual: 20 }]);
});

/** What is seen in so many looks at a shop whose inspections are changed by `inspected`. */
async function watched(
  folder: ModelFolder,
  looks: number,
  inspected: (inspection: StoreInspection, call: number) => StoreInspection,
): Promise<readonly Overview[]> {
  const kafka = { follow: async () => undefined, latest: null } as unknown as KafkaWatch;
  const view = await keptView(folder);
  let calls = 0;
  const inspect = async () => inspected(await folder.inspect(), (calls += 1));
  const access = { consumerStatus: () => folder.consumerStatus(), inspect } as unknown as StoreAccess;
  const watch = new OverviewWatch({ access, view, kafka, parts: () => null, clock: folder.clock });
  const seen: Overview[] = [];
  const stop = new AbortController();
  await watch.follow(stop.signal, (overview) => {
    seen.push(overview);
    if (seen.length === looks) stop.abort();
  });
  return seen;
}

it('what is added while all lines are added up counts once', async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 20 });
  const seen = await watched(folder, 60, (inspection, call) => ({
    ...inspection,
    historyFrom: async function* (from, facts) {
      yield* inspection.historyFrom(from, facts);
      // There is always more to read, also after the last reading of all lines.
      if (call <= 5) await folder.edit({ kind: 'item.add', item: `ink-${call}`, quantity: 5 });
      // It takes a few looks.
      for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  }));
  const balances = seen.flatMap(({ balance }) => balance ?? []);
  expect(balances.at(-1)).toMatchObject({ putIn: 45, onHand: 45, difference: null });
  expect(balances.filter(({ difference }) => difference !== null)).toEqual([]);
});

it('lines that cannot be added up again are said until they can', async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 20 });
  let isBroken = false;
  const seen = await watched(folder, 200, (inspection) => ({
    ...inspection,
    historyFrom: async function* (from, facts) {
      // As long as a large shop takes.
      if (from === null) await folder.clock.sleep(500);
      if (from === null && isBroken) throw new Failure('corrupt_state', 'a line is damaged');
      yield* inspection.historyFrom(from, facts);
      isBroken = true;
    },
  }));
  const first = seen.findIndex(({ problem }) => problem !== null);
  expect(first).toBeGreaterThan(0);
  expect(new Set(seen.slice(first).map(({ problem }) => problem))).toEqual(new Set(['a line is damaged']));
});

it('rests after a chunk that somebody had to wait for, for twice as long as that took, and after no other', async () => {
  const clock = new FakeClock();
  let restedMs = 0;
  const chunks = async function* () {
    for (const chunk of ['first', 'second', 'third']) {
      clock.time += 3;
      yield chunk;
    }
  };
  const seen: string[] = [];
  for await (const chunk of givingWay(chunks(), clock, (ms) => (restedMs += ms))) {
    seen.push(chunk);
    if (chunk === 'second') setImmediate(() => (clock.time += 1));
  }
  expect(seen).toEqual(['first', 'second', 'third']);
  expect(clock.slept).toEqual([6]);
  expect(restedMs).toBe(7);
});

it('lines that could not be read once are read again soon, however long that took', async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 20 });
  let calls = 0;
  const seen = await watched(folder, 200, (inspection) => ({
    ...inspection,
    historyFrom: async function* (from, facts) {
      await folder.clock.sleep(60_000);
      calls += 1;
      if (calls === 1) throw new Failure('store_unreachable', 'the connection was lost');
      yield* inspection.historyFrom(from, facts);
    },
  }));
  expect(seen.at(-1)?.balance).toMatchObject({ putIn: 20, difference: null });
  expect(seen.at(-1)?.problem).toBeNull();
});
