import { expect, test } from 'vitest';
import { readPast } from '../../../src/app/history/past-tables.ts';
import { Again } from '../../../src/app/what-if/again.ts';
import type { StoreReader } from '../../../src/ports/store.ts';
import { isFailure } from '../../../src/domain/failure.ts';
import { tries } from '../../support/effort.ts';
import { FaultyFs } from '../../support/faulty-fs.ts';
import { collect, isCrash, makeHistory, Runner } from '../../support/store-history.ts';

/*
 * The proof that history is whole: random histories (batches, edits by command and by hand, resets, movements of another
 * processor, dead letters, crashes) are followed from the logs alone. At every commit the tables must be what the store
 * had then, and every order, decided again on them, must come out as it did.
 */

const FIRST_SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);
const SEEDS = Number(process.env.ORDERCTL_TEST_SEEDS ?? tries(12, 6));

async function tablesOf(store: StoreReader): Promise<string> {
  const users = Array.from(await store.users(), ({ user, status }) => `${user} ${status}`);
  const items = Array.from(await store.items(), ({ item, quantity }) => `${item} ${quantity}`);
  return JSON.stringify([users.sort(), items.sort()]);
}

/** By the number of the last commit, the tables as the store had them. */
async function lived(runner: Runner, seed: number): Promise<Map<number, string>> {
  const seen = new Map<number, string>();
  for (const operation of makeHistory(seed, 40).operations) {
    await runner.perform(operation);
    const { store } = runner;
    if (store === undefined) throw new Error('it is open');
    const tables = await tablesOf(store);
    const last = await store.transact({}, ({ seq }) => ({ changes: {}, result: seq - 1 }));
    if (last > 0) seen.set(last, tables);
  }
  return seen;
}

async function expectWhole(
  reader: StoreReader,
  seen: ReadonlyMap<number, string>,
  seed: number,
): Promise<void> {
  const numbers = (await collect(reader.history([]))).map((line) => line.seq ?? 0);
  for (const [number, tables] of seen) {
    // Commits of positions and of dead letters alone have no line.
    const seq = Math.min(number, numbers.at(-1) ?? 0);
    const { users, items } = await readPast(reader, { kind: 'commit', seq });
    const past = { users: async () => users, items: async () => items } as unknown as StoreReader;
    expect(await tablesOf(past), `seed ${seed}, commit ${seq}`).toBe(tables);
  }
  const again = new Again({ stock: new Map(), prices: new Map(), statuses: new Map() });
  for await (const lines of reader.history([])) lines.forEach((line) => again.take(line));
  const { orders, counts, wouldBe } = again;
  expect({ orders, ...counts }, `seed ${seed}`).toEqual({
    orders: [],
    accepted: 0,
    rejected: 0,
    not_sent: 0,
    rejected_otherwise: 0,
  });
  for (const { item, quantity } of await reader.items()) {
    expect(wouldBe.quantity(item), `seed ${seed}, ${item}`).toBe(quantity);
  }
}

test.each(Array.from({ length: SEEDS }, (_, at) => FIRST_SEED + at))(
  'history is whole (seed %i)',
  async (seed) => {
    const files = new FaultyFs(seed);
    const runner = new Runner(makeHistory(seed, 40), files);
    const seen = await lived(runner, seed);
    expect(seen.size).toBeGreaterThan(5);
    const { store } = runner;
    if (store === undefined) throw new Error('it is open');
    await expectWhole(store, seen, seed);
    await store[Symbol.asyncDispose]();
  },
);

test.each([3, 4, 5])('and after a crash (seed %i)', async (seed) => {
  const history = makeHistory(seed, 40);
  for (let call = 40; call < 400; call += 60) {
    const files = new FaultyFs(seed * 7919 + call, { kind: 'crash', call });
    const runner = new Runner(history, files);
    const seen = await lived(runner, seed).catch((error: unknown) => {
      if (!isCrash(error) && !isFailure(error, 'write_failed')) throw error;
      return new Map<number, string>();
    });
    const again = new Runner(history, files.survived('power'));
    const store = await again.open();
    await expectWhole(store, seen, seed);
    await store[Symbol.asyncDispose]();
  }
});
