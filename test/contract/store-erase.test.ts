import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { realFileSystem, type FileSystem } from '../../src/adapters/files/fs.ts';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import { folderAdmin } from '../../src/adapters/files/whole/admin.ts';
import { openFolderSource } from '../../src/adapters/files/whole/source.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import { postgresAdmin } from '../../src/adapters/postgres/whole/admin.ts';
import { audit } from '../../src/app/audit/audit.ts';
import { ALL_ORDERS } from '../../src/app/orders/filter.ts';
import { orderIdOf } from '../../src/app/orders/listed-order.ts';
import { ordersPage } from '../../src/app/orders/page.ts';
import { RunningBalance } from '../../src/app/overview/balance.ts';
import { eraseUser } from '../../src/app/store/erase.ts';
import { whatIf } from '../../src/app/what-if/what-if.ts';
import { systemClock } from '../../src/compose.ts';
import { CHECKOUT, placedOf } from '../../src/domain/checkout/facts.ts';
import { NAMED_EDITS } from '../../src/domain/edits/conditional.ts';
import { isFailure } from '../../src/domain/failure.ts';
import { isErased } from '../../src/domain/names.ts';
import { sameContent } from '../../src/domain/orders/order.ts';
import type { KeptView, StoreAccess } from '../../src/ports/access.ts';
import type { OrderReader } from '../../src/ports/store.ts';
import type { StoreAdmin } from '../../src/ports/whole/store-admin.ts';
import { DELIVERIES } from '../../src/processors/delivery/facts.ts';
import { NOTIFICATIONS } from '../../src/processors/notification/processor.ts';
import { CheckoutWorld } from '../support/checkout-world.ts';
import { tries } from '../support/effort.ts';
import { ask, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { collect } from './store.suite.ts';

/** A person is taken out of a store: nothing says who it was, and the books are what they were. */

const PSEUDONYM = 'erased-0123456789ab';
const MAIL = 'alice@example.com';
const ADDRESS = 'Main Street 1';
const LOGS = [CHECKOUT, NAMED_EDITS, DELIVERIES, NOTIFICATIONS];
const NOTHING_ELSE = { stock: new Map(), prices: new Map(), statuses: new Map() };
/** One of so many changes. */
const EVERY = tries(1, 20);
const onNotice = (): void => undefined;
const makeFolder = temporaryFolder();

interface Opened {
  readonly access: StoreAccess;
  readonly admin: StoreAdmin;
}

let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

const openers: Readonly<Record<string, () => Promise<Opened>>> = {
  folder: async () => {
    const folder = makeFolder();
    fs.writeFileSync(path.join(folder, 'users.csv'), `user,status,email\nalice,paid,${MAIL}\nbob,paid,\n`);
    return openedFolder(folder);
  },
  database: async () => {
    const opened = await openedDatabase();
    const users = `('alice', 'paid', '{"email": "${MAIL}"}'), ('bob', 'paid', '{}')`;
    await ask(server.url, `INSERT INTO orderctl.users (user_name, status, extra) VALUES ${users}`);
    return opened;
  },
};

function openedFolder(folder: string): Opened {
  return {
    access: openFolder({ folder, clock: systemClock, onNotice }),
    admin: folderAdmin({ folder, clock: systemClock }),
  };
}

async function openedDatabase(): Promise<Opened> {
  const target = { url: server.url, password: null, archive: null, clock: systemClock, processes };
  const admin = postgresAdmin(target);
  await admin.migrate();
  return { admin, access: openPostgres({ ...target, user: 'test', onNotice }) };
}

/** Orders of alice and bob in both flows, all finished. @returns the world they are in, which owns the store */
async function fill({ access }: Opened): Promise<CheckoutWorld> {
  const how = { via: 'command', onNotice } as const;
  await access.edit({ kind: 'item.add', item: 'pen', quantity: 50, price: '2.50' }, how);
  await access.edit({ kind: 'user.update', user: 'alice', status: 'unpaid' }, { ...how, why: 'alice asked' });
  await access.editIf({ kind: 'user.update', user: 'alice', status: 'paid' }, { row: null, key: 'k-1' }, how);
  const world = new CheckoutWorld(undefined, access);
  await world.restart();
  world.place('C-1', 'alice', { pen: 2 });
  world.placeDirect('D-1', 'alice', { pen: 1 });
  world.placeDirect('D-2', 'alice', { nothing: 1 });
  world.placeDirect('D-3', 'bob', { pen: 3 });
  world.placeDirect('D-4', 'ALICE', { pen: 3 });
  await world.settle();
  const read = { processor: 'orders', topic: 'orders', partition: 0 } as const;
  const position = { ...read, next: 1_000, last: null, clusterId: null };
  await world.store.transact({ positions: [read] }, () => ({
    changes: { positions: [position] },
    result: undefined,
  }));
  return world;
}

/** What must not change, the name of the user apart. */
async function booksOf({ access }: Opened): Promise<unknown> {
  await using reader = await access.read();
  const { differences, ...counted } = await audit(access, { topic: null, repair: false, onNotice });
  expect(differences).toEqual([]);
  const { orders, revenue, counts } = await whatIf(access, NOTHING_ELSE, null);
  expect(orders).toEqual([]);
  return { counted, revenue, counts, items: [...(await reader.items())], storeId: reader.storeId };
}

async function historyOf({ access }: Opened): Promise<string> {
  await using reader = await access.read();
  return JSON.stringify(await collect(reader.history(LOGS)));
}

async function lookAt<R>({ access }: Opened, use: (view: OrderReader) => Promise<R>): Promise<R> {
  await using reader = await access.read();
  return await use(reader);
}

const erase = ({ admin }: Opened, execute: boolean) =>
  eraseUser(admin, { user: 'alice', pseudonym: PSEUDONYM, execute });

describe.each(['folder', 'database'])('a %s', (kind) => {
  test('keeps its books and forgets the person; again there is nothing of them', async () => {
    const opened = await (openers[kind] ?? openers.folder)?.();
    if (opened === undefined) throw new Error(kind);
    const world = await fill(opened);
    await expect(erase(opened, true), 'while it is owned').rejects.toSatisfy((error) =>
      isFailure(error, 'folder_in_use'),
    );
    await world.store[Symbol.asyncDispose]();
    const [before, history] = [await booksOf(opened), await historyOf(opened)];
    expect(history).toContain(ADDRESS);
    expect(history).toContain(MAIL);

    // A folder has its lines in other places then, a database has not.
    const [page, signal] = [{ filter: ALL_ORDERS, limit: 1 }, new AbortController().signal];
    const view = { lookAtOrders: (use) => lookAt(opened, use) } as KeptView;
    const first = await ordersPage(view, { ...page, mark: null, signal });
    const second = () => ordersPage(view, { ...page, mark: first.next, signal });
    const expected = (await second()).orders.map(orderIdOf);
    const running = new RunningBalance();
    const books = async () => {
      await using inspection = await opened.access.inspect();
      return await running.as(inspection);
    };
    const balance = await books();
    let left: string[] = [];
    if (kind === 'database') {
      await ask(
        server.url,
        `INSERT INTO orderctl.small_tables (table_name, key, value) VALUES ('seen', 'k', '{"who": "alice"}'), ('alices', 'al', '1');
         INSERT INTO orderctl.suppliers VALUES ('ACME', 'Acme', '${MAIL}')`,
      );
      left = ['small table seen', 'supplier ACME'];
    }
    expect(await erase(opened, false)).toMatchObject({ orders: 3, left: [] });
    expect(await historyOf(opened), 'without --execute').toBe(history);
    expect(await erase(opened, true)).toMatchObject({ pseudonym: PSEUDONYM, orders: 3, left });

    if (kind === 'database') expect((await second()).orders.map(orderIdOf)).toEqual(expected);
    else {
      await expect(second()).rejects.toThrow('before this store was restored or a user was erased');
      await expect(books()).rejects.toMatchObject({ code: 'changed_since' });
    }
    expect(await books()).toEqual(balance);
    expect(await booksOf(opened)).toEqual(before);
    const after = await historyOf(opened);
    expect(after.length).toBeGreaterThan(1_000);
    for (const text of ['"alice"', 'alice ', MAIL, ADDRESS]) expect(after, text).not.toContain(text);
    expect(after).toContain('"ALICE"');
    await using reader = await opened.access.read();
    expect(await reader.decided('D-1')).toMatchObject({ order: { user: PSEUDONYM } });
    expect(placedOf(await reader.facts(CHECKOUT, 'C-1'))).toMatchObject({ customer_id: PSEUDONYM });
    const users = [...(await reader.users())].map(({ user, status, extra }) => [
      user,
      status,
      extra.email ?? '',
    ]);
    expect(users.sort()).toEqual([
      ['bob', 'paid', ''],
      [PSEUDONYM, 'paid', ''],
    ]);

    await expect(erase(opened, true)).rejects.toMatchObject({ code: 'not_found' });
    // It goes on, and a record that comes again is a duplicate.
    await world.restart();
    world.placeDirect('D-1', 'alice', { pen: 1 });
    world.place('C-1', 'alice', { pen: 2 });
    world.placeDirect('D-5', 'bob', { pen: 1 });
    await world.settle();
    await world.store[Symbol.asyncDispose]();
    expect(await audit(opened.access, { topic: null, repair: false, onNotice })).toMatchObject({
      differences: [],
    });
  });
});

test('a database that keeps what was there for another transaction says so', async () => {
  const { admin } = await openedDatabase();
  await ask(
    server.url,
    "INSERT INTO orderctl.users (user_name, status) VALUES ('carol', 'paid'), ('dave', 'paid')",
  );
  const reader = new pg.Client(server.url);
  await reader.connect();
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await reader.query('SELECT FROM orderctl.users');
  const carol = await eraseUser(admin, {
    user: 'carol',
    pseudonym: PSEUDONYM.replace('0', '1'),
    execute: true,
  });
  expect(carol.left).toEqual([expect.stringContaining('files of the tables')]);
  await reader.end();
  const dave = await eraseUser(admin, {
    user: 'dave',
    pseudonym: PSEUDONYM.replace('0', '2'),
    execute: true,
  });
  expect(dave.left).toEqual([]);
});

test('a user with an order that is not finished is not erased', async () => {
  const opened = await openers.folder?.();
  if (opened === undefined) throw new Error('no folder');
  const world = await fill(opened);
  world.place('C-2', 'alice', { pen: 1 });
  await world.process('validation', world.inboxes.get('validation')?.splice(0) ?? []);
  await world.store[Symbol.asyncDispose]();
  const history = await historyOf(opened);
  await expect(erase(opened, true)).rejects.toThrow(/orders of alice are not finished: C-2/);
  expect(await historyOf(opened)).toBe(history);
});

test('an erased name stands for any, as far as contents are compared', () => {
  expect(isErased(PSEUDONYM)).toBe(true);
  expect(isErased('erased-by-me')).toBe(false);
  const order = { orderId: 'o', items: [], createdAt: 0 };
  expect(sameContent({ ...order, user: 'alice' }, { ...order, user: PSEUDONYM })).toBe(true);
  expect(sameContent({ ...order, user: 'alice' }, { ...order, user: 'bob' })).toBe(false);
});

const CHANGES = new Set<string | symbol>(
  [
    'write',
    'writeAll',
    'truncate',
    'datasync',
    'sync',
    'syncDirectory',
    'rename',
    'link',
    'unlink',
    'discard',
  ].concat('makeDirectory'),
);

/** A process that is killed before its `at`th change, counted; nothing after it happens. */
function killedAt(at: number): { files: FileSystem; calls: () => number } {
  let calls = 0;
  const files = new Proxy(realFileSystem, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (!CHANGES.has(name) || typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (++calls >= at) throw new Error(`killed at ${String(name)} ${String(args[0])}`);
        return (value as (...args: unknown[]) => unknown)(...args);
      };
    },
  });
  return { files, calls: () => calls };
}

test(
  'a folder whose process is killed at any change is what it was, or what it is to be',
  { timeout: 600_000 },
  async () => {
    const opened = await openers.folder?.();
    if (opened === undefined) throw new Error('no folder');
    await (await fill(opened)).store[Symbol.asyncDispose]();
    const [books, history] = [await booksOf(opened), await historyOf(opened)];
    const erasedAt = async (at: number): Promise<[folder: string, calls: number]> => {
      const folder = path.join(makeFolder(), 'shop');
      fs.cpSync(opened.admin.name, folder, { recursive: true, filter: (name) => !/owner\.\d+$/.test(name) });
      const { files, calls } = killedAt(at);
      const admin = { ...folderAdmin({ folder, clock: systemClock }) };
      const source = () => openFolderSource(files, folder, systemClock, folder);
      await erase({ ...opened, admin: { ...admin, source } }, true).catch(() => undefined);
      return [folder, calls()];
    };
    const [whole, all] = await erasedAt(Infinity);
    const after = await historyOf(openedFolder(whole));
    let [former, latter] = [0, 0];
    for (let at = 1; at <= all; at += EVERY) {
      const [folder] = await erasedAt(at);
      const again = openedFolder(folder);
      // Its next owner goes on.
      await again.admin.migrate();
      const found = await historyOf(again);
      if (found === history) former += 1;
      else latter += 1;
      expect([history, after], `killed at change ${at} of ${all}`).toContain(found);
      if (at % 10 === 1) expect(await booksOf(again)).toEqual(books);
      expect(fs.existsSync(path.join(folder, '.orderctl', 'sealed.json'))).toBe(false);
    }
    expect(Math.min(former, latter)).toBeGreaterThan(1);
  },
);
