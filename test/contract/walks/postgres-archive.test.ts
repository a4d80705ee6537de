import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { processes } from '../../../src/adapters/files/owner/processes.ts';
import { archiveOrders, planArchive } from '../../../src/adapters/postgres/archive/move.ts';
import { openPostgres } from '../../../src/adapters/postgres/open.ts';
import { claimTask } from '../../../src/adapters/postgres/owner/claims.ts';
import { postgresAdmin } from '../../../src/adapters/postgres/whole/admin.ts';
import { audit } from '../../../src/app/audit/audit.ts';
import { itemChangesPage } from '../../../src/app/history/item-changes.ts';
import { RunningBalance } from '../../../src/app/overview/balance.ts';
import { eraseUser } from '../../../src/app/store/erase.ts';
import { systemClock } from '../../../src/compose.ts';
import type { Decided } from '../../../src/domain/orders/decided.ts';
import { isFailure } from '../../../src/domain/failure.ts';
import type { KeptView, StoreAccess } from '../../../src/ports/access.ts';
import type { StoreNotice } from '../../../src/ports/notices.ts';
import { decideAll } from '../../../src/processors/orders/decide.ts';
import { ask, EMPTY_STORE, startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { accepted, collect, order, rejected } from '../store.suite.ts';

const makeFolder = temporaryFolder();
let server: TestPostgres;
let folder: string;
let access: StoreAccess;
const notices: StoreNotice[] = [];

function open(archive: string | null, onNotice = (notice: StoreNotice) => void notices.push(notice)) {
  return openPostgres({ url: server.url, password: null, archive, clock: systemClock, processes, onNotice });
}

beforeAll(async () => {
  server = await startTestPostgres();
  access = open(null);
  await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, HOW);
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = makeFolder();
  notices.length = 0;
  await ask(server.url, EMPTY_STORE);
  await fill();
});

const HOW = { via: 'command', onNotice: () => undefined } as const;
const PLACE = { topic: 'orders', partition: 0 } as const;
const COMMITS = 12;
/** Each commit has two orders, decided in this second. */
const decidedAt = (commit: number): number => 1_000 * commit;

async function fill(): Promise<void> {
  await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, HOW);
  await access.edit({ kind: 'item.add', item: 'book', quantity: 100 }, HOW);
  await using store = await access.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  const source = { processor: 'orders', ...PLACE } as const;
  for (let n = 0; n < COMMITS; n++) {
    await store.transact(
      { users: ['alice'], items: ['book'], orders: [`O-${n}`, `R-${n}`], positions: [source] },
      (state) => {
        const decisions: Decided[] = [
          accepted(order(`O-${n}`), [state.quantity('book') ?? 0]),
          rejected(order(`R-${n}`)),
        ].map((one, at) => ({ ...one, record: { ...PLACE, offset: 2 * n + at }, decidedAt: decidedAt(n) }));
        const position = { ...source, next: 2 * n + 2, last: null, clusterId: 'c' };
        return { changes: { decisions, positions: [position] }, result: null };
      },
    );
    if (n === 4) await access.edit({ kind: 'item.update', item: 'book', by: 20 }, HOW);
  }
}

/** Orders of the first `commits`. */
function archive(commits: number, { to = folder, mostOrders = 5 } = {}) {
  const signal = new AbortController().signal;
  const options = { beforeMs: decidedAt(commits), to, signal, onFile: () => undefined };
  return archiveOrders({ url: server.url, password: null }, options, mostOrders);
}

async function everything(of: StoreAccess) {
  await using view = await of.read();
  return {
    accepted: await collect(view.decisions('accepted')),
    rejected: await collect(view.decisions('rejected')),
    fromEnd: await collect(view.decisionsFromEnd('accepted')),
    history: (await collect(view.history([]))).filter(({ kind }) => kind !== 'edit'),
    one: await view.decided('O-3'),
    other: await view.decided('R-3'),
  };
}

async function findings(of: StoreAccess): Promise<{ kinds: string[]; orders: number }> {
  const { differences, checked } = await audit(of, { topic: null, repair: false, onNotice: () => undefined });
  return { kinds: differences.map(({ kind }) => kind), orders: checked.orders };
}

test('with the folder an archived store reads as it did before, in the order of its history', async () => {
  const before = await everything(access);
  expect(await planArchive({ url: server.url, password: null }, decidedAt(9))).toEqual({
    accepted: 9,
    rejected: 9,
    fromMs: 0,
    untilMs: decidedAt(8),
  });
  const first = await archive(7);
  expect([first.accepted, first.rejected, first.files.length]).toEqual([7, 7, 3]);
  expect(await archive(7)).toEqual({ accepted: 0, rejected: 0, files: [] });
  await archive(9);
  expect(await ask(server.url, 'SELECT count(*)::int AS orders FROM orderctl.orders')).toEqual([
    { orders: 6 },
  ]);
  expect(
    await ask(server.url, 'SELECT count(DISTINCT order_id)::int AS n FROM orderctl.order_lines'),
  ).toEqual([{ n: 6 }]);
  expect(await everything(open(folder))).toEqual(before);
  expect(notices).toEqual([]);
});

test('without the folder lists say what they leave out, history fails, and the books balance', async () => {
  const store = open(null);
  const balance = async () => {
    await using inspection = await store.inspect();
    return await new RunningBalance().as(inspection);
  };
  const before = await balance();
  await archive(COMMITS - 1);
  await using view = await store.read();
  expect((await collect(view.decisions('accepted'))).map(({ order: { orderId } }) => orderId)).toEqual([
    'O-11',
  ]);
  await collect(view.decisions('rejected'));
  expect(notices).toEqual([{ kind: 'orders_archived', orders: 22, untilMs: decidedAt(10) }]);
  const failed = await collect(view.history([])).catch((error: unknown) => error);
  expect(isFailure(failed, 'not_found'), String(failed)).toBe(true);
  expect(await view.decided('R-3')).toMatchObject({
    decidedAt: decidedAt(3),
    record: { partition: 0, offset: 7 },
    outcome: { kind: 'rejected', detail: expect.stringContaining('orders-') as string },
  });
  expect(await balance()).toEqual(before);
  expect(await findings(store)).toEqual({ kinds: [], orders: 1 });
  expect(await findings(open(folder))).toEqual({ kinds: [], orders: COMMITS });
  await ask(server.url, `SET orderctl.is_own = 'on'; UPDATE orderctl.inventory SET quantity = quantity - 1`);
  expect(await findings(store)).toEqual({ kinds: ['stock_mismatch'], orders: 1 });
});

test('without the folder what changed an item has its edits still, and says that orders are left out', async () => {
  await archive(COMMITS - 1);
  await using view = await open(null).read();
  const kept: KeptView = {
    lookAtOrders: (use) => use(view),
    lookAtRows: (use) => use(view),
    lookAtBooks: async () => null,
  };
  const { changes, next } = await itemChangesPage(kept, 'book', { limit: 100, mark: null });
  expect(changes.map(({ cause }) => cause)).toEqual(['sale', 'edit', 'edit']);
  expect(next).toBeNull();
  expect(notices).toEqual([{ kind: 'orders_archived', orders: 22, untilMs: decidedAt(10) }]);
});

test('an archived order that comes again is a duplicate, and a conflict with other content', async () => {
  await archive(COMMITS);
  await using store = await access.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  const { items, ...rest } = order('O-3');
  const other = { ...rest, items: items.map((line) => ({ ...line, quantity: line.quantity + 1 })) };
  const decisions = await store.transact(
    { users: ['alice'], items: ['book'], orders: ['O-3', 'new'] },
    (state) => {
      const received = [order('O-3'), other, order('new')].map((message, offset) => ({
        message,
        record: { topic: 'orders', partition: 1, offset },
      }));
      return { changes: {}, result: decideAll(received, state, 5) };
    },
  );
  expect(decisions.map((one) => (one.kind === 'duplicate' ? one.sameContent : one.kind))).toEqual([
    true,
    false,
    'decided',
  ]);
});

test('what fails in the middle changes nothing, and goes on when it is run again', async () => {
  const before = await everything(access);
  await ask(
    server.url,
    `CREATE FUNCTION orderctl.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'cut off'; END $$;
     CREATE TRIGGER fail BEFORE INSERT ON orderctl.archives FOR EACH ROW WHEN (NEW.number = 2) EXECUTE FUNCTION orderctl.fail()`,
  );
  try {
    await expect(archive(9)).rejects.toThrow('cut off');
  } finally {
    await ask(server.url, 'DROP FUNCTION orderctl.fail CASCADE');
  }
  // The file of the second transaction is there, and does not count.
  expect(fs.readdirSync(folder)).toHaveLength(2);
  expect(await everything(open(folder))).toEqual(before);
  expect(await findings(open(null))).toEqual({ kinds: [], orders: COMMITS - 3 });
  await archive(9);
  expect(await everything(open(folder))).toEqual(before);
});

test('a file that an interrupted run has left gets another ending once its orders are in another; one of another store keeps its name', async () => {
  await archive(2);
  const [listed = ''] = fs.readdirSync(folder);
  const [, first = ''] = /^orders-(\d+)-/.exec(listed) ?? [];
  await ask(server.url, EMPTY_STORE);
  await fill();
  const [next] = await ask<{ seq: string }>(server.url, 'SELECT min(seq)::text AS seq FROM orderctl.orders');
  const start = `orders-${String(next?.seq).padStart(first.length, '0')}`;
  const lines = fs.readFileSync(path.join(folder, listed), 'utf8').split('\n');
  fs.rmSync(path.join(folder, listed));
  const ofThis = lines[0]?.replace(/"seq":\d+/, `"seq":${next?.seq}`);
  fs.writeFileSync(path.join(folder, `${start}-000000000000.jsonl`), `${ofThis}\n`);
  fs.writeFileSync(path.join(folder, `${start}-000000000001.jsonl`), `${lines[1]}\n`);
  const { files } = await archive(2);
  const leftover = `${start}-000000000000.jsonl.leftover`;
  expect(fs.readdirSync(folder).sort()).toEqual([leftover, `${start}-000000000001.jsonl`, ...files].sort());
});

test('nothing is archived while a name is erased, nor erased while orders are archived', async () => {
  const target = { url: server.url, password: null };
  const admin = postgresAdmin({ ...target, archive: folder, clock: systemClock, processes });
  const erase = () => eraseUser(admin, { user: 'alice', pseudonym: 'erased-0123456789ab', execute: true });
  const isRefused = (error: unknown) =>
    isFailure(error, 'folder_in_use') && error.message.includes('archive run');
  {
    await using claim = await claimTask(target, 'archive');
    await claim.check();
    await expect(archive(9)).rejects.toSatisfy(isRefused);
    await expect(erase()).rejects.toSatisfy(isRefused);
  }
  expect(fs.readdirSync(folder)).toEqual([]);
  const { files } = await archive(9);
  expect(await erase()).toMatchObject({ left: files.map((file) => `archive ${file}`) });
});

test('a file that was changed or is missing is not taken', async () => {
  await archive(COMMITS);
  const [name = ''] = fs.readdirSync(folder).sort();
  const file = path.join(folder, name);
  const kept = fs.readFileSync(file, 'utf8');
  const codeOf = async (): Promise<unknown> => {
    const failed = await everything(open(folder)).catch((error: unknown) => error);
    return isFailure(failed) ? failed.code : failed;
  };
  fs.writeFileSync(file, kept.replace('"quantity":', '"quantity": '));
  expect(await codeOf()).toBe('corrupt_file');
  fs.rmSync(file);
  expect(await codeOf()).toBe('not_found');
});

test('who has read up to an order that is archived meanwhile begins again', async () => {
  await using inspection = await access.inspect();
  const { place } = inspection;
  await archive(COMMITS);
  await using later = await access.inspect();
  expect(await collect(later.historyFrom(place, []))).toEqual([]);
  const earlier = { ...place, ends: new Map([['commits', (place.ends.get('commits') ?? 0) - 1]]) };
  const failed = await collect(later.historyFrom(earlier, [])).catch((error: unknown) => error);
  expect(isFailure(failed, 'changed_since'), String(failed)).toBe(true);
});
