import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FolderReader } from '../../../src/adapters/files/reader.ts';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { newFact, type FactLog } from '../../../src/domain/facts.ts';
import type { Decided } from '../../../src/domain/orders/decided.ts';
import { isFailure } from '../../../src/domain/failure.ts';
import type { Changes, HistoryLine } from '../../../src/ports/store.ts';
import { accepted, order } from '../../contract/store.suite.ts';
import { tries } from '../../support/effort.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FaultyFs } from '../../support/faulty-fs.ts';
import { formerFolder } from '../../support/former-folder.ts';
import { FOLDER } from '../../support/store-history.ts';
import { waitFor } from '../../support/wait.ts';

const PAYMENTS: FactLog<{ payment_id: string }> = { name: 'payments', key: 'payment_id' };

const MORE_THAN_ALL = 10_000;
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Looks again whenever the owner waits for the disk. */
class HastyClock extends FakeClock {
  override sleep(): Promise<void> {
    return turn();
  }
}

/** Stands still once its test is over: owners that died in it would look for edits for ever. */
class ClockOfTest extends FakeClock {
  #isOver = false;

  constructor() {
    super();
    onTestFinished(() => {
      this.#isOver = true;
    });
  }

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#isOver ? new Promise(() => undefined) : super.sleep(ms, signal);
  }
}

/** The state of a checkpoint is long in coming to the disk. */
class SlowCheckpoints extends FaultyFs {
  readonly #held = new Set<number>();
  #released: Promise<void> = Promise.resolve();

  /** @returns what ends it */
  hold(): () => void {
    let release = (): void => undefined;
    this.#released = new Promise((resolve) => (release = resolve));
    return release;
  }

  get isHeld(): boolean {
    return this.#held.size > 0;
  }

  override async sync(fd: number): Promise<void> {
    if (this.stat(STATE_TMP)?.inode === this.statOpen(fd).inode) {
      this.#held.add(fd);
      await this.#released;
      this.#held.delete(fd);
    }
    await super.sync(fd);
  }
}
const STATE_TMP = path.join(FOLDER, '.orderctl/state.json.tmp');

const open = (files: FaultyFs, checkpointBytes = 2_000): Promise<FileStore> =>
  FileStore.open({
    files,
    folder: FOLDER,
    clock: new ClockOfTest(),
    user: 'tester',
    via: 'consume',
    onNotice: () => undefined,
    checkpointBytes,
  });

const stockOf = async (store: FileStore): Promise<number> => {
  for (const { item, quantity } of await store.items()) if (item === 'book') return quantity;
  return 0;
};

/** A store with books to sell. */
async function filled(files = new FaultyFs(1)): Promise<FaultyFs> {
  await using store = await open(files);
  const from = { by: 'tester', via: 'command' } as const;
  await store.edit({ kind: 'item.add', item: 'book', quantity: 100_000 }, from);
  return files;
}

/** Sales, rejections, edits and movements by turns, several in one record. */
async function work(store: FileStore, from: number, count: number): Promise<void> {
  const done = Array.from({ length: count }, (_, index) => {
    const number = from + index;
    if (number % 5 === 4) {
      const edit = { kind: 'item.update', item: 'book', by: 1 } as const;
      return store.edit(edit, { by: 'tester', via: 'command' });
    }
    return store.transact({}, (state) => {
      const sale = accepted(order(`ORD-${number}`, 'book', 1), [state.quantity('book') ?? 0], number);
      const outcome = { kind: 'rejected', reason: 'user_not_paid', detail: ',"seq":1' } as const;
      const refused = { ...sale, outcome: { ...outcome, userStatus: null, stock: [null] } };
      const movement = {
        item: 'book',
        delta: -1,
        cause: 'sale',
        orderId: null,
        eventId: `E-${number}`,
      } as const;
      const changes: Changes = {
        decisions: number % 5 === 2 ? [refused] : number % 5 === 3 ? [] : [sale],
        movements: number % 5 === 2 ? [] : [movement],
        facts: number % 5 === 3 ? [newFact(PAYMENTS, { payment_id: `P-${number}` })] : [],
      };
      return { changes, result: null };
    });
  });
  await Promise.all(done);
}

/** As much in one transaction. */
async function workAtOnce(store: FileStore, count: number): Promise<void> {
  await store.transact({ items: ['book'] }, () => {
    const sale = (number: number): Decided => accepted(order(`AT-ONCE-${number}`, 'book', 1), [1], number);
    const outcome = {
      kind: 'rejected',
      reason: 'user_not_paid',
      detail: '',
      userStatus: null,
      stock: [null],
    };
    const movement = { item: 'book', delta: -1, cause: 'sale', orderId: null, eventId: 'AT-ONCE' } as const;
    const of = <T>(make: (number: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
    const changes: Changes = {
      decisions: [
        ...of(sale),
        ...of((at) => ({ ...sale(count + at), outcome: outcome as Decided['outcome'] })),
      ],
      edits: of(() => ({ kind: 'user', user: 'zoe', before: null, after: null })),
      movements: of(() => movement),
      facts: of((at) => newFact(PAYMENTS, { payment_id: `AT-ONCE-${at}` })),
    };
    return { changes, result: null };
  });
}

const nameOf = (entry: HistoryLine): string => {
  if (entry.kind === 'decision') return entry.decided.order.orderId;
  if (entry.kind === 'fact') return String(entry.fact.payment_id);
  return entry.kind === 'edit' ? `edit of ${entry.edit.kind}` : (entry.movement.eventId ?? '');
};

/** What the logs hold, by transaction, after `from`. */
function logged(files: FaultyFs, from: number): string[] {
  const names = [
    '.orderctl/edits.jsonl',
    'orders.jsonl',
    'rejections.jsonl',
    'movements.jsonl',
    'payments.jsonl',
  ];
  const lines = names.flatMap((name) =>
    (files.get(path.join(FOLDER, name))?.toString() ?? '')
      .split('\n')
      .slice(0, -1)
      .map(
        (line) =>
          JSON.parse(line) as {
            seq: number;
            order_id?: string;
            event_id?: string;
            kind?: string;
            payment_id?: string;
          },
      ),
  );
  const later = lines.filter(({ seq }) => seq > from).sort((a, b) => a.seq - b.seq);
  return later.map(
    (line) => `${line.seq} ${line.payment_id ?? line.event_id ?? line.order_id ?? `edit of ${line.kind}`}`,
  );
}

/** Follows a folder from now on. */
async function following(files: FaultyFs): Promise<{
  readonly found: string[];
  /** @returns why it had ended before, or null */
  readonly end: () => Promise<unknown>;
  readonly ended: Promise<unknown>;
}> {
  const stop = new AbortController();
  const reader = await FolderReader.open(files, FOLDER, new HastyClock());
  const later = reader.follow([PAYMENTS], stop.signal);
  await reader[Symbol.asyncDispose]();
  const found: string[] = [];
  const done = (async () => {
    for await (const entries of later) {
      found.push(...entries.map((entry) => `${entry.seq} ${nameOf(entry)}`));
      if (found.length > MORE_THAN_ALL) throw new Error('lines come again and again');
    }
  })().then(
    () => null,
    (error: unknown) => error,
  );
  onTestFinished(() => stop.abort());
  const end = (): Promise<unknown> => {
    stop.abort();
    return done;
  };
  return { found, end, ended: done };
}

describe('following a folder', () => {
  it('has each line once, in the order of transactions, through checkpoints and owners that end or die', async () => {
    const files = await filled();
    const { found, end, ended } = await following(files);
    let number = 0;
    for (const how of ['ends', 'dies', 'dies', 'ends', 'ends'] as const) {
      // One that dies does so between two checkpoints: what works in the background would go on here.
      const store = await open(files, how === 'dies' ? 1e9 : 2_000);
      for (let group = 0; group < 12; group++) await work(store, (number += 7), 7);
      if (how === 'ends') await store[Symbol.asyncDispose]();
    }
    const all = logged(files, 1);
    expect(all.length).toBeGreaterThan(300);
    await Promise.race([ended, waitFor('all lines', () => found.length >= all.length)]);
    expect(await end()).toBe(null);
    expect(found).toEqual(all);
    expect(files.openFiles).toBeLessThan(60);
  });

  it('goes on after it slept through checkpoints, a few hundred lines at a time', async () => {
    const files = await filled();
    const reader = await FolderReader.open(files, FOLDER, new HastyClock());
    const stop = new AbortController();
    const later = reader.follow([PAYMENTS], stop.signal)[Symbol.asyncIterator]();
    await reader[Symbol.asyncDispose]();
    {
      await using store = await open(files);
      for (let group = 0; group < 20; group++) await work(store, group * 100, 100);
    }
    const all = logged(files, 1);
    const found: string[] = [];
    while (found.length < all.length) {
      const entries = (await later.next()).value as readonly HistoryLine[];
      expect(entries.length).toBeLessThanOrEqual(500);
      found.push(...entries.map((entry) => `${entry.seq} ${nameOf(entry)}`));
    }
    expect(found).toEqual(all);
    const before = files.openFiles;
    stop.abort();
    expect((await later.next()).done).toBe(true);
    expect(files.openFiles).toBeLessThan(before);
  });

  it('does not wait for a checkpoint to come to its end', async () => {
    const files = new SlowCheckpoints(1);
    await filled(files);
    const { found, end } = await following(files);
    const store = await open(files);
    const release = files.hold();
    for (let from = 0; !files.isHeld; from += 10) await work(store, from, 10);
    const before = logged(files, 1).length;
    await work(store, 1_000, 5);
    const all = logged(files, 1);
    expect(all.length).toBeGreaterThan(before);
    await waitFor('what came after it began', () => found.length >= all.length);
    release();
    await store[Symbol.asyncDispose]();
    expect(await end()).toBe(null);
    expect(found).toEqual(all);
  });

  it('waits for what an owner could not write any more until the next one writes it', async () => {
    for (let call = 1; ; call += tries(1, 4)) {
      const files = await filled();
      const { found, end } = await following(files);
      const store = await open(files);
      files.arm({ kind: 'fail', call, code: 'EIO' });
      const error: unknown = await work(store, 0, 20).then(
        () => null,
        (failed: unknown) => failed,
      );
      const failing = files.trace[call - 1] ?? '';
      files.arm(undefined);
      // Meanwhile it looks, and finds what the journal has and the logs have not.
      for (let look = 0; look < 3; look++) await turn();
      await using again = await open(files);
      await work(again, 20, 10);
      const all = logged(files, 1);
      await waitFor('the last line', () => found.includes(all.at(-1) ?? '') || failing.includes('sync'));
      // A failed sync loses what it may have read: that it says so is enough.
      const ended = await end();
      if (!failing.includes('sync')) expect(ended, failing).toBe(null);
      if (ended === null) expect(found.slice(0, all.length), failing).toEqual(all.slice(0, found.length));
      if (error === null) {
        expect(call).toBeGreaterThan(5);
        return;
      }
    }
  });

  it('begins with a folder that nobody has used yet, and stays with one that is upgraded', async () => {
    const fresh = new FaultyFs(1);
    fresh.put(path.join(FOLDER, 'users.csv'), Buffer.from('user,status\nalice,paid\n'));
    const first = await following(fresh);
    await filled(fresh);
    await waitFor('all lines', () => first.found.length >= 2);
    expect(await first.end()).toBe(null);
    expect(first.found).toEqual(logged(fresh, 0));

    const former = new FaultyFs(1);
    for (const [name, bytes] of formerFolder(3)) former.put(path.join(FOLDER, name), bytes);
    const seq = logged(former, 0).map((line) => Number.parseInt(line, 10));
    const second = await following(former);
    {
      await using store = await open(former);
      const book = await stockOf(store);
      expect(book).toBeGreaterThan(10);
      await work(store, 100, 5);
    }
    const all = logged(former, Math.max(...seq));
    await waitFor('all lines', () => second.found.length >= all.length);
    expect(await second.end()).toBe(null);
    expect(second.found).toEqual(all);
  });

  it('says that another folder, or an earlier copy, is in its place', async () => {
    const contents = (files: FaultyFs): Map<string, Buffer> =>
      new Map(files.names().map((name) => [name, files.get(name) ?? Buffer.alloc(0)]));
    const put = (files: FaultyFs, to: ReadonlyMap<string, Buffer>): void => {
      for (const name of files.names()) files.remove(name);
      for (const [name, bytes] of to) files.put(name, bytes);
    };
    const cases = ['an earlier copy', 'another folder', 'nothing'].flatMap((what) => [
      { what, hasRead: true },
      { what, hasRead: false },
    ]);
    for (const { what, hasRead } of cases) {
      const files = await filled();
      const inPlace = new FaultyFs(2);
      put(inPlace, contents(what === 'another folder' ? await filled(new FaultyFs(3)) : files));
      {
        // More in each log than will be read, in fewer transactions or in more.
        await using store = await open(inPlace);
        if (what !== 'another folder') await workAtOnce(store, 100);
        else for (let from = 0; from < 200; from += 10) await work(store, from, 10);
      }
      {
        await using store = await open(files);
        await work(store, 0, 20);
      }
      const { found, ended } = await following(files);
      if (hasRead) {
        await using store = await open(files);
        await work(store, 20, 20);
        await waitFor('all lines', () => found.length > 20);
      }
      const { length } = found;
      put(files, what === 'nothing' ? new Map() : contents(inPlace));
      const error = await Promise.race([
        ended,
        waitFor('what is not of that folder', () => found.length > length),
      ]);
      expect(isFailure(error, 'changed_since'), `${what}: ${String(error)}`).toBe(true);
    }
  });
});
