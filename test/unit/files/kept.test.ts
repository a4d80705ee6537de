import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { KeptFolder } from '../../../src/adapters/files/kept/kept-folder.ts';
import { FolderInspection } from '../../../src/adapters/files/inspection.ts';
import { FolderReader } from '../../../src/adapters/files/reader.ts';
import type { FactLog } from '../../../src/domain/facts.ts';
import type { BooksView } from '../../../src/ports/health.ts';
import { STOCK_LOGS, type OrderReader, type RowReader, type StockPiece } from '../../../src/ports/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FaultyFs } from '../../support/faulty-fs.ts';
import { collect, FOLDER, makeHistory, Runner } from '../../support/store-history.ts';

const FIRST_SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);
const SEEDS = Number(process.env.ORDERCTL_TEST_SEEDS ?? 3);
const STEPS: FactLog<{ id: string }> = { name: 'steps', key: 'id' };
const IDS = Array.from({ length: 40 }, (_, id) => `ORD-${id}`);

async function rowsIn(view: RowReader): Promise<string> {
  const users = [...(await view.users())];
  const items = [...(await view.items())];
  const rows = [await view.userNamed('alice'), await view.itemNamed('book'), await view.itemNamed('none')];
  return JSON.stringify([users, items, rows]);
}

async function ordersIn(view: OrderReader): Promise<string> {
  const decided = [];
  for (const id of IDS) decided.push((await view.decided(id)) ?? null);
  const facts = [];
  for (const key of ['k0', 'k1', 'k2', 'k3']) facts.push(await view.facts(STEPS, key));
  const some = { field: 'id', values: ['k0', 'k2'] } as const;
  const stock: StockPiece[] = [];
  const fromEnd = [
    await collect(view.decisionsFromEnd('accepted')),
    await collect(view.decisionsFromEnd('rejected')),
    await collect(view.factsFromEnd(STEPS, some)),
  ];
  for (const log of STOCK_LOGS) for await (const piece of view.stockFromEnd(log, 'book')) stock.push(piece);
  return JSON.stringify([decided, facts, fromEnd, stock, await view.effects(), await view.positions()]);
}

async function booksIn(view: BooksView): Promise<string> {
  return JSON.stringify([[...view.items()], await collect(view.historyFrom(null, [STEPS as never]))]);
}

async function afresh(files: FaultyFs): Promise<readonly [string, string]> {
  await using reader = await FolderReader.open(files, FOLDER, new FakeClock());
  return [await rowsIn(reader), await ordersIn(reader)];
}

/** Counts how often a folder is opened as a whole. */
class CountingFs extends FaultyFs {
  snapshots = 0;

  override open(name: string, mode: 'read' | 'append' | 'create'): number {
    if (mode === 'read' && /tables\.\d+$/.test(name)) this.snapshots += 1;
    return super.open(name, mode);
  }
}

test.each(Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index))(
  'history %i: a view that is kept is what one that is opened is, after each operation and amid it',
  async (seed) => {
    const history = makeHistory(seed, 30);
    const files = new FaultyFs(seed);
    const runner = new Runner(history, files);
    let kept: KeptFolder | undefined;
    let committed = 0;
    let seen = 0;
    /** Looks that began in the midst of an operation: how many orders were decided before, and seen. */
    const amid: Promise<readonly [number, number]>[] = [];
    files.onCall = () => {
      const before = committed;
      const seen = kept?.lookAtOrders(async (view) => {
        let count = 0;
        for (const id of IDS) if ((await view.decided(id)) !== undefined) count += 1;
        return [before, count] as const;
      });
      if (seen !== undefined) amid.push(seen);
    };
    for (const operation of history.operations) {
      await runner.perform(operation);
      kept ??= new KeptFolder(files, FOLDER, new FakeClock());
      const orders = await kept.lookAtOrders(ordersIn);
      const what = `seed ${seed}, after ${JSON.stringify(operation)}`;
      // Not each time: orders are looked up beside rows that are behind.
      const isLooked = operation.kind !== 'batch';
      const rows = isLooked ? await kept.lookAtRows(rowsIn) : null;
      const fresh = await afresh(files);
      expect([rows ?? fresh[0], orders], what).toEqual(fresh);
      const books = await kept.lookAtBooks(booksIn);
      await using inspection = await FolderInspection.open(files, FOLDER, new FakeClock(), async () => false);
      if (books !== null) expect(books, what).toBe(await booksIn(inspection));
      if (books !== null) seen += 1;
      committed = (JSON.parse(orders) as unknown[][])[0]?.filter((one) => one !== null).length ?? 0;
    }
    for (const [before, seen] of await Promise.all(amid)) expect(seen).toBeGreaterThanOrEqual(before);
    expect(amid.length).toBeGreaterThan(100);
    expect(seen).toBeGreaterThan(10);
  },
);

/** A folder whose owner commits sales, with a view that is kept beside it. */
async function shop() {
  const files = new CountingFs(FIRST_SEED);
  const runner = new Runner(makeHistory(FIRST_SEED, 0), files);
  for (const operation of runner.history.operations) await runner.perform(operation);
  const kept = new KeptFolder(files, FOLDER, new FakeClock());
  const stock = (): Promise<number | undefined> =>
    kept.lookAtRows(async (view) => (await view.itemNamed('book'))?.quantity);
  await stock();
  return { files, runner, kept, stock };
}

test('it is not opened again while commits, checkpoints and written CSVs follow each other, or for an owner that comes', async () => {
  const { files, runner, stock } = await shop();
  const before = (await stock()) ?? 0;
  const opened = files.snapshots;
  for (let round = 1; round <= 60; round++) {
    await runner.perform({ kind: 'parts' });
    if (round % 10 === 5) await runner.perform({ kind: 'tick' });
    expect(await stock()).toBe(before + round);
  }
  expect(files.names().some((name) => name.endsWith('journal.1'))).toBe(false);
  expect(files.snapshots).toBe(opened);
  const open = files.openFiles;
  for (let round = 1; round <= 60; round++) {
    await runner.perform({ kind: 'parts' });
    await stock();
  }
  expect(files.openFiles).toBeLessThan(open + 6);

  await runner.perform({ kind: 'restart' });
  const restarted = files.snapshots;
  await runner.perform({ kind: 'parts' });
  expect(await stock()).toBe(before + 121);
  expect(files.snapshots).toBeLessThanOrEqual(restarted + 1);
});

test('while one looks the view stays as it was; who comes later waits and sees what was committed', async () => {
  const { runner, kept, stock } = await shop();
  let go = (): void => undefined;
  const looking = new Promise<void>((resolve) => (go = resolve));
  const seen: unknown[] = [];
  const quantity = async (view: RowReader) => (await view.itemNamed('book'))?.quantity ?? 0;
  const before = (await stock()) ?? 0;
  const first = kept.lookAtRows(async (view) => {
    seen.push(await quantity(view));
    await looking;
    seen.push(await quantity(view));
  });
  // Nothing has changed: nobody waits.
  expect(await stock()).toBe(before);
  await runner.perform({ kind: 'parts' });
  let later: number | undefined;
  const second = stock().then((found) => (later = found));
  await new Promise((resolve) => setImmediate(resolve));
  expect(later).toBe(undefined);
  go();
  await Promise.all([first, second]);
  expect(seen).toEqual([before, before]);
  expect(later).toBe(before + 1);
});

test('a save by hand is seen before the owner takes it in, and is gone when the user takes it back', async () => {
  const { files, runner, kept, stock } = await shop();
  // Its stock does not follow from what was committed then.
  const areBooksKept = async (): Promise<boolean> => (await kept.lookAtBooks(async () => true)) ?? false;
  await runner.perform({ kind: 'tick' });
  const before = (await stock()) ?? 0;
  const name = path.join(FOLDER, 'inventory.csv');
  const saved = files.get(name) ?? Buffer.alloc(0);
  expect(saved.toString()).toContain(`book,${before}`);
  files.put(name, Buffer.from(saved.toString().replace(`book,${before}`, `book,${before + 5}`)));
  expect([await stock(), await areBooksKept()]).toEqual([before + 5, false]);
  files.put(name, saved);
  expect([await stock(), await areBooksKept()]).toEqual([before, true]);
});

test('a log that was cut before the checkpoint, or is not there, fails as where it is opened, until it is back', async () => {
  const files = new FaultyFs(FIRST_SEED);
  const runner = new Runner(makeHistory(FIRST_SEED, 30), files);
  for (const operation of runner.history.operations) await runner.perform(operation);
  await runner.perform({ kind: 'restart' });
  const kept = new KeptFolder(files, FOLDER, new FakeClock());
  const orders = (): Promise<string> => kept.lookAtOrders(ordersIn);
  const before = await orders();
  const name = path.join(FOLDER, 'orders.jsonl');
  const whole = Buffer.from(files.get(name) ?? '');
  expect(whole.byteLength).toBeGreaterThan(10);
  for (const left of [whole.subarray(0, 10), null]) {
    if (left === null) files.remove(name);
    else files.put(name, left);
    await expect(orders()).rejects.toMatchObject({ code: 'corrupt_state' });
    files.put(name, whole);
    expect(await orders()).toBe(before);
  }
});

test('what goes wrong while nobody looks ends no program, and the next look is as of a folder that is opened', async () => {
  const files = new (class extends FaultyFs {
    isBroken = false;

    override stat(name: string) {
      if (this.isBroken) throw new TypeError('broken');
      return super.stat(name);
    }
  })(FIRST_SEED);
  await new Runner(makeHistory(FIRST_SEED, 10), files).open();
  vi.useFakeTimers({ toFake: ['setInterval'] });
  try {
    const kept = new KeptFolder(files, FOLDER, new FakeClock());
    const before = await kept.lookAtOrders(ordersIn);
    files.isBroken = true;
    vi.advanceTimersByTime(5_000);
    files.isBroken = false;
    expect(await kept.lookAtOrders(ordersIn)).toBe(before);
  } finally {
    vi.useRealTimers();
  }
});
