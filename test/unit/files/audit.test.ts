import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { audit, type AuditResult } from '../../../src/app/audit/audit.ts';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { systemClock } from '../../../src/compose.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';
import type { Store } from '../../../src/ports/store.ts';
import { decideRecords, ownFolder, recordOf } from '../../support/decided.ts';
import { wayOut } from '../../../src/cli/hints.ts';

interface Shop {
  readonly folder: string;
  readonly access: StoreAccess;
  readonly file: (name: string) => string;
  readonly read: (name: string) => string;
  readonly write: (name: string, text: string | Buffer) => void;
  readonly own: () => Promise<Store>;
  readonly audit: (repair?: boolean) => Promise<AuditResult>;
}

const ORDERS = 200;

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-audit-'));
/** What each test begins with a copy of. */
const whole = path.join(work, 'whole');
beforeAll(() => fill(whole));
afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

/** Two hundred orders, every tenth rejected, one of them of two lines, with edits in between. */
async function fill(folder: string): Promise<void> {
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'users.csv'), 'user,status\nalice,paid\nbob,unpaid\n');
  fs.writeFileSync(path.join(folder, 'inventory.csv'), 'item,quantity\npen,500\nbook,90\n');
  await using store = await ownFolder(folder);
  for (let offset = 0; offset < ORDERS; offset++) {
    const user = offset % 10 === 9 ? 'bob' : 'alice';
    const items = offset === 42 ? { pen: 2, book: 3 } : { pen: 1 };
    await decideRecords(store, [recordOf('orders', offset, `ORD-${offset}`, user, items)]);
    if (offset === 100) {
      await store.transact({}, (snapshot) => {
        const before = snapshot.item('pen') ?? null;
        const after = before === null ? null : { ...before, quantity: before.quantity + 50 };
        return { changes: { edits: [{ kind: 'item', item: 'pen', before, after }] }, result: undefined };
      });
    }
  }
}

function shop(): Shop {
  const folder = fs.mkdtempSync(path.join(work, 'shop-'));
  copyTo(folder, whole);
  const file = (name: string): string => path.join(folder, name);
  const access = openFolder({ folder, clock: systemClock });
  return {
    folder,
    access,
    file,
    own: () => ownFolder(folder),
    read: (name) => fs.readFileSync(file(name), 'utf8'),
    write: (name, text) => fs.writeFileSync(file(name), text),
    audit: (repair = false) => auditOf(folder, repair),
  };
}

/** As after kill -9: what lies on disk at this moment. */
function killedCopy({ folder }: Shop): string {
  const copy = `${folder}-killed`;
  copyTo(copy, folder);
  return copy;
}

/** Without the socket of its owner. */
function copyTo(copy: string, folder: string): void {
  const filter = (name: string): boolean => !path.basename(name).startsWith('owner.');
  fs.cpSync(folder, copy, { recursive: true, preserveTimestamps: true, filter });
}

function auditOf(folder: string, repair = false): Promise<AuditResult> {
  const access = openFolder({ folder, clock: systemClock });
  return audit(access, { topic: null, repair, onNotice: () => undefined });
}

function kinds({ differences }: AuditResult): string[] {
  return [...new Set(differences.map(({ kind }) => kind))].sort();
}

describe('a sound folder', () => {
  it('has no difference, and all of it is counted', async () => {
    const made = shop();
    const result = await made.audit();
    expect(result).toMatchObject({ total: 0, differences: [], notes: [], skips: [] });
    expect(result.checked).toEqual({ items: 2, users: 2, orders: 180, rejections: 20, edits: 5 });
  });

  it('has none while it is owned, nor when its owner was killed', async () => {
    const made = shop();
    const store = await made.own();
    await decideRecords(store, [recordOf('orders', 300, 'ORD-300', 'alice', { pen: 3 })]);
    const beside = await made.audit();
    expect(beside.total).toBe(0);
    expect(beside.notes).toMatchObject([{ kind: 'csv_behind', where: 'inventory.csv' }]);
    expect(beside.checked.orders).toBe(181);
    const killed = await auditOf(killedCopy(made));
    await store[Symbol.asyncDispose]();
    expect(killed.total).toBe(0);
    expect(killed.notes).toMatchObject([{ kind: 'csv_behind' }]);
    await expect(made.audit()).resolves.toMatchObject({ total: 0, notes: [] });
  });

  it('may hold a hand edit that was not taken in yet', async () => {
    const made = shop();
    made.write('inventory.csv', made.read('inventory.csv').replace(/^book,\d+$/m, 'book,88'));
    expect(await made.audit()).toMatchObject({
      total: 0,
      notes: [
        {
          kind: 'hand_edit',
          where: 'inventory.csv',
          message: 'inventory.csv: 1 row was changed by hand: it counts from the next commit on',
        },
      ],
    });
  });

  it('may hold an empty name, which is none, from a version that wrote it down', async () => {
    const made = shop();
    await using store = await made.own();
    const change = (name: string): Promise<void> =>
      store.transact({}, (snapshot) => {
        const before = snapshot.item('pen') ?? null;
        const after = before === null ? null : { ...before, name };
        return { changes: { edits: [{ kind: 'item', item: 'pen', before, after }] }, result: undefined };
      });
    await change('Pen');
    await change('');
    const killed = killedCopy(made);
    expect(await auditOf(killed)).toMatchObject({ total: 0 });
    expect(await auditOf(killed, true)).toMatchObject({ total: 0 });
    await using reader = await openFolder({ folder: killed, clock: systemClock }).read();
    expect([...(await reader.items())]).toMatchObject([{ item: 'pen', name: null }, { item: 'book' }]);
    expect(await auditOf(killed)).toMatchObject({ total: 0, notes: [] });
  });

  it('is fresh', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-audit-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
    await expect(auditOf(folder)).rejects.toMatchObject({ code: 'not_found' });
    fs.writeFileSync(path.join(folder, 'users.csv'), 'user,status\n');
    expect(await auditOf(folder)).toMatchObject({ total: 0, checked: { items: 0, orders: 0 } });
  });

  it('lists what a reset skipped', async () => {
    const made = shop();
    {
      await using store = await made.own();
      await store.transact({}, () => ({
        changes: {
          edits: [
            {
              kind: 'position',
              processor: 'orders',
              topic: 'orders',
              partition: 0,
              before: ORDERS,
              after: 250,
              cause: 'reset',
            },
          ],
          positions: [
            { processor: 'orders', topic: 'orders', partition: 0, next: 250, last: null, clusterId: null },
          ],
        },
        result: undefined,
      }));
    }
    const { total, skips } = await made.audit();
    expect(total).toBe(0);
    expect(skips).toMatchObject([{ partition: 0, from: ORDERS, to: 250, cause: 'reset' }]);
  });
});

/** So much more in both logs that what was there lies before the last 64 KiB, which are compared at each opening. */
async function bury(made: Shop): Promise<void> {
  await using store = await made.own();
  for (let round = 0; round < 10; round++) {
    await store.transact({}, (snapshot) => {
      const before = snapshot.item('pen') ?? null;
      const extra = { note: 'x'.repeat(8_000 + round) };
      const after = before === null ? null : { ...before, quantity: before.quantity + 60, extra };
      return { changes: { edits: [{ kind: 'item', item: 'pen', before, after }] }, result: undefined };
    });
    const records = Array.from({ length: 60 }, (_, at) => {
      const offset = 10_000 + round * 60 + at;
      return recordOf('orders', offset, `LATER-${offset}`, 'alice', { pen: 1 }, 1);
    });
    await decideRecords(store, records);
  }
}

describe('tampering is found', () => {
  it.each([
    ['quantity', '"item":"pen","quantity":2', '"item":"pen","quantity":3', 'stock_mismatch'],
    [
      'stock',
      '"item":"book","quantity":3,"stock":90',
      '"item":"book","quantity":3,"stock":80',
      'stock_before_mismatch',
    ],
    ['user', '"order_id":"ORD-42","user":"alice"', '"order_id":"ORD-42","user":"alicf"', 'log_changed'],
    ['id', '"order_id":"ORD-42"', '"order_id":"ORD-43"', 'decided_twice'],
    ['form', '{"order_id":"ORD-42"', '{"order_id":"ORD-42!', 'line_unreadable'],
    ['position', '"partition":0,"offset":42}', '"partition":7,"offset":42}', 'position_mismatch'],
  ])('a line of orders.jsonl with another %s, of the same length', async (_what, from, to, kind) => {
    const made = shop();
    await bury(made);
    const text = made.read('orders.jsonl');
    expect(text).toContain(from);
    made.write('orders.jsonl', text.replace(from, to));
    const result = await made.audit();
    expect(kinds(result)).toEqual(expect.arrayContaining(['log_changed', kind]));
    expect(result.differences.every(({ fix }) => fix === null || wayOut(fix).includes('backup'))).toBe(true);
  });

  it('a line of edits.jsonl changed in the middle', async () => {
    const made = shop();
    await bury(made);
    const text = made.read('.orderctl/edits.jsonl');
    made.write('.orderctl/edits.jsonl', text.replace('"quantity":500', '"quantity":400'));
    const result = await made.audit();
    expect(kinds(result)).toEqual(['log_changed', 'stock_before_mismatch', 'stock_mismatch']);
    expect(result.differences).toMatchObject([
      { kind: 'stock_before_mismatch', where: 'orders.jsonl:1', expected: 400, actual: 500 },
      { kind: 'stock_mismatch', item: 'pen', where: 'inventory.csv:2' },
      { kind: 'log_changed', where: '.orderctl/edits.jsonl' },
    ]);
  });

  it.each([
    ['orders.jsonl', 'a line removed', (text: string) => text.slice(text.indexOf('\n') + 1)],
    ['orders.jsonl', 'a line twice', (text: string) => text + text.slice(0, text.indexOf('\n') + 1)],
    ['orders.jsonl', 'its end changed', (text: string) => text.replace('"offset":198}', '"offset":197}')],
    [
      '.orderctl/edits.jsonl',
      'its end changed',
      (text: string) => text.replace('"quantity":90', '"quantity":91'),
    ],
    ['.orderctl/state.json', 'another position', (text: string) => text.replace('"seq"', '"sea"')],
  ])('%s with %s: what is true cannot be known', async (name, _how, change) => {
    const made = shop();
    made.write(name, change(made.read(name)));
    const result = await made.audit();
    expect(result.differences).toMatchObject([{ kind: 'state_damaged', where: name }]);
    expect(result.differences[0]?.fix).toMatch(/backup|put .* back/);
    await expect(made.audit(true)).rejects.toMatchObject({ code: 'corrupt_state' });
  });

  it('the snapshot of the tables', async () => {
    const made = shop();
    const [name = ''] = fs.readdirSync(made.file('.orderctl')).filter((found) => /^tables\.\d+$/.test(found));
    made.write(`.orderctl/${name}`, made.read(`.orderctl/${name}`).replace('"paid"', '"pail"'));
    const result = await made.audit();
    expect(result.differences).toMatchObject([{ kind: 'state_damaged', where: `.orderctl/${name}` }]);
  });
});

describe('a view is built again', () => {
  const runs = (made: Shop): string[] =>
    fs.readdirSync(made.file('.orderctl')).filter((name) => /^ids\.\d+$/.test(name));

  it.each([
    ['at its beginning', () => 8, 'index_damaged'],
    ['at its end', (bytes: Buffer) => bytes.byteLength - 8, 'index_damaged'],
  ])('an index run damaged %s', async (_where, at, kind) => {
    const made = shop();
    for (const name of runs(made)) {
      const bytes = fs.readFileSync(made.file(`.orderctl/${name}`));
      const place = at(bytes);
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      made.write(`.orderctl/${name}`, bytes);
    }
    const found = await made.audit();
    expect(kinds(found)).toEqual([kind]);
    const repaired = await made.audit(true);
    expect(repaired).toMatchObject({ total: 0, repaired: [{ kind }] });
    expect(await made.audit()).toMatchObject({ total: 0 });
    await using reader = await made.access.read();
    expect(await reader.decided('ORD-7')).toBeDefined();
  });

  it('an index run that is missing', async () => {
    const made = shop();
    for (const name of runs(made)) fs.rmSync(made.file(`.orderctl/${name}`));
    expect(kinds(await made.audit())).toEqual(['index_damaged']);
    expect(await made.audit(true)).toMatchObject({ total: 0, repaired: [{ kind: 'index_damaged' }] });
  });

  it('the end of a log that a kill left unfinished or wrong', async () => {
    const made = shop();
    const store = await made.own();
    await decideRecords(store, [recordOf('orders', 300, 'ORD-300', 'alice', { pen: 3 })]);
    const copy = killedCopy(made);
    await store[Symbol.asyncDispose]();
    const log = path.join(copy, 'orders.jsonl');
    const whole = fs.readFileSync(log, 'utf8');
    fs.writeFileSync(log, whole.replace('"offset":300}', '"offset":303}'));
    expect(kinds(await auditOf(copy))).toEqual(['log_tail_mismatch']);
    expect(await auditOf(copy, true)).toMatchObject({ total: 0, repaired: [{ where: 'orders.jsonl' }] });
    expect(fs.readFileSync(log, 'utf8')).toBe(whole);
  });

  it('a CSV that is missing, or an older version', async () => {
    const made = shop();
    const older = made.read('inventory.csv');
    {
      await using store = await made.own();
      await decideRecords(store, [recordOf('orders', 300, 'ORD-300', 'alice', { pen: 3 })]);
    }
    const newer = made.read('inventory.csv');
    made.write('inventory.csv', older);
    expect(kinds(await made.audit())).toEqual(['csv_behind']);
    expect(await made.audit(true)).toMatchObject({ total: 0, repaired: [{ kind: 'csv_behind' }] });
    expect(made.read('inventory.csv')).toBe(newer);
    fs.rmSync(made.file('users.csv'));
    expect(kinds(await made.audit())).toEqual(['csv_missing']);
    expect(await made.audit(true)).toMatchObject({ total: 0, repaired: [{ where: 'users.csv' }] });
    expect(made.read('users.csv')).toContain('alice,paid');
  });

  it('but not a file that a person has broken, nor beside an owner', async () => {
    const made = shop();
    const sound = made.read('users.csv');
    made.write('users.csv', `${sound}carol,perhaps\n`);
    expect((await made.audit()).differences).toMatchObject([{ kind: 'csv_broken', where: 'users.csv:4' }]);
    await expect(made.audit(true)).rejects.toMatchObject({ code: 'corrupt_file' });
    made.write('users.csv', sound);
    const store = await made.own();
    await expect(made.audit(true)).rejects.toMatchObject({ code: 'folder_in_use' });
    await store[Symbol.asyncDispose]();
  });
});
