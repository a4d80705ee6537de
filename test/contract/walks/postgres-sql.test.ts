import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import { processes } from '../../../src/adapters/files/owner/processes.ts';
import { openPostgres } from '../../../src/adapters/postgres/open.ts';
import { audit } from '../../../src/app/audit/audit.ts';
import { systemClock } from '../../../src/compose.ts';
import type { Edit, LoggedEdit } from '../../../src/domain/edit.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';
import { EMPTY_STORE, startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { waitFor } from '../../support/wait.ts';
import { collect } from '../store.suite.ts';

let server: TestPostgres;
let client: pg.Client;
let access: StoreAccess;
/** As whom the tests use SQL. */
let me: string;
beforeAll(async () => {
  server = await startTestPostgres();
  client = new pg.Client(server.url);
  await client.connect();
  me = new URL(server.url).username;
});
afterAll(async () => {
  await client.end();
  await server[Symbol.asyncDispose]();
});

beforeEach(async () => {
  access = openPostgres({ url: server.url, password: null, clock: systemClock, processes, user: 'tester' });
  const how = { via: 'command', onNotice: () => undefined } as const;
  await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, how);
  await access.edit({ kind: 'item.add', item: 'pen', quantity: 5, price: '1.50' }, how);
  await access.edit({ kind: 'item.add', item: 'ink', quantity: 7 }, how);
  return () => client.query(EMPTY_STORE);
});

/** Those that SQL made, as `item: quantity price → quantity price`. */
async function sqlEdits(): Promise<string[]> {
  await using reader = await access.read();
  const edits = await collect(reader.edits());
  return edits.filter(({ via }) => via === 'sql').map((edit) => `${edit.by} ${inWords(edit)}`);
}

function inWords(edit: LoggedEdit | Edit): string {
  if (edit.kind === 'user')
    return `${edit.user}: ${edit.before?.status ?? '–'} → ${edit.after?.status ?? '–'}`;
  if (edit.kind !== 'item') return edit.kind;
  const row = (of: typeof edit.before): string =>
    of === null ? '–' : `${of.quantity} ${of.price ?? 'free'}`;
  return `${edit.item}: ${row(edit.before)} → ${row(edit.after)}`;
}

async function differences(): Promise<readonly unknown[]> {
  return (await audit(access, { topic: null, repair: false, onNotice: () => undefined })).differences;
}

describe('a statement on the tables', () => {
  test.each<[what: string, statement: string, ...edits: string[]]>([
    [
      'sets',
      `UPDATE orderctl.inventory SET quantity = quantity + 20`,
      'pen: 5 1.50 → 25 1.50',
      'ink: 7 free → 27 free',
    ],
    ['changes nothing', `UPDATE orderctl.inventory SET quantity = quantity`],
    ['prices', `UPDATE orderctl.products SET price = 2 WHERE item = 'pen'`, 'pen: 5 1.50 → 5 2.00'],
    ['adds no item', `INSERT INTO orderctl.products (item) VALUES ('desk')`],
    [
      'adds',
      `WITH p AS (INSERT INTO orderctl.products (item, price) VALUES ('desk', 9.5)) SELECT 1;
       INSERT INTO orderctl.inventory (item, quantity) VALUES ('desk', 3)`,
      'desk: – → 3 9.50',
    ],
    [
      'adds or sets',
      `INSERT INTO orderctl.inventory (item, quantity) VALUES ('pen', 1) ON CONFLICT (item) DO UPDATE SET quantity = 1`,
      'pen: 5 1.50 → 1 1.50',
    ],
    ['removes', `DELETE FROM orderctl.products WHERE item = 'pen'`, 'pen: 5 1.50 → –'],
    ['removes the stock', `DELETE FROM orderctl.inventory WHERE item = 'ink'`, 'ink: 7 free → –'],
    ['empties', `TRUNCATE orderctl.inventory`, 'pen: 5 1.50 → –', 'ink: 7 free → –'],
    ['empties all', `TRUNCATE orderctl.products CASCADE`, 'pen: 5 1.50 → –', 'ink: 7 free → –'],
    [
      'is one of a transaction',
      `UPDATE orderctl.inventory SET quantity = 1 WHERE item = 'pen'; UPDATE orderctl.inventory SET quantity = 2 WHERE item = 'pen'`,
      'pen: 5 1.50 → 1 1.50',
      'pen: 1 1.50 → 2 1.50',
    ],
    ['sets users', `UPDATE orderctl.users SET status = 'unpaid'`, 'alice: paid → unpaid'],
    [
      'renames users',
      `UPDATE orderctl.users SET user_name = 'alicia'`,
      'alice: paid → –',
      'alicia: – → paid',
    ],
    ['adds users', `INSERT INTO orderctl.users (user_name, status) VALUES ('bob', 'paid')`, 'bob: – → paid'],
    ['removes users', `DELETE FROM orderctl.users`, 'alice: paid → –'],
    ['empties users', `TRUNCATE orderctl.users`, 'alice: paid → –'],
    ['is rolled back', `BEGIN; UPDATE orderctl.inventory SET quantity = 1; ROLLBACK`],
  ])('%s: it is an edit, and the books balance', async (_, statement, ...edits) => {
    await client.query(statement);
    expect((await sqlEdits()).sort()).toEqual(edits.map((edit) => `${me} ${edit}`).sort());
    expect(await differences()).toEqual([]);
  });

  test('is by the user who made it, who needs no right to the log', async () => {
    await client.query(`
      DROP ROLE IF EXISTS clerk; CREATE ROLE clerk;
      GRANT USAGE ON SCHEMA orderctl TO clerk; GRANT SELECT, UPDATE ON orderctl.inventory TO clerk;
      SET ROLE clerk; UPDATE orderctl.inventory SET quantity = 6 WHERE item = 'pen'; RESET ROLE;
      DROP OWNED BY clerk`);
    expect(await sqlEdits()).toEqual(['clerk pen: 5 1.50 → 6 1.50']);
  });

  test.each([
    [`UPDATE orderctl.inventory SET quantity = -3 WHERE item = 'pen'`, 'the quantity of pen would be -3'],
    [`INSERT INTO orderctl.products (item) VALUES ('a pen')`, 'item_has_letters_digits_and_no_space'],
    [
      `INSERT INTO orderctl.users (user_name, status) VALUES ('', 'paid')`,
      'user_name_has_letters_digits_and_no_space',
    ],
    [`UPDATE orderctl.users SET status = 'gold'`, 'users_status_check'],
    [`UPDATE orderctl.users SET extra = '{"a": 1}'`, 'extra_is_an_object_of_texts'],
    [`UPDATE orderctl.products SET name = E'a\\nb'`, 'name_is_one_line_of_256_characters_at_most'],
    [`UPDATE orderctl.products SET price = -1`, 'products_price_check'],
    [`UPDATE orderctl.products SET item = 'pencil' WHERE item = 'pen'`, 'inventory_item_fkey'],
    [`INSERT INTO orderctl.inventory (item, quantity) VALUES ('nothing', 1)`, 'inventory_item_fkey'],
  ])('that is wrong is refused: %s', async (statement, says) => {
    await expect(client.query(statement)).rejects.toThrow(says);
    expect(await sqlEdits()).toEqual([]);
  });
});

test('an owner takes it in as any other edit, with what follows from it, and holds up nobody who thinks', async () => {
  const events: string[] = [];
  const notices: string[] = [];
  await using store = await access.own({
    purpose: 'test',
    via: 'consume',
    onNotice: (notice) => notices.push(notice.kind),
    onEdits: (edits, state) => {
      for (const edit of edits) {
        const before = edit.kind === 'item' ? state.quantity(edit.item) : undefined;
        events.push(`${before ?? '–'} ${inWords(edit)}`);
      }
      return {};
    },
  });
  await client.query(`BEGIN; UPDATE orderctl.inventory SET quantity = 3 WHERE item = 'pen'`);
  // The other item is not locked, and no number is taken.
  await store.transact({ items: ['ink'] }, () => ({
    changes: {
      edits: [{ kind: 'user', user: 'eve', before: null, after: { user: 'eve', status: 'paid', extra: {} } }],
    },
    result: null,
  }));
  await client.query('COMMIT');
  await waitFor(
    'the edit',
    () => notices.length,
    (count) => count > 0,
  );
  expect(events.at(-1)).toBe('5 pen: 5 1.50 → 3 1.50');
  expect(notices).toEqual(['edit_taken_in']);
  await store.transact({ items: ['pen'] }, (state) => {
    expect(state.quantity('pen')).toBe(3);
    return { changes: {}, result: null };
  });
  expect(await differences()).toEqual([]);
});

test('an item whose product was made by SQL can be added, and edits of one row at once are both there', async () => {
  await client.query(`INSERT INTO orderctl.products (item, name) VALUES ('desk', 'old')`);
  const how = { via: 'command', onNotice: () => undefined } as const;
  await access.edit({ kind: 'item.add', item: 'desk', quantity: 2, name: 'Desk' }, how);
  await Promise.all([
    access.edit({ kind: 'item.update', item: 'desk', name: 'Table' }, how),
    access.edit({ kind: 'item.update', item: 'desk', price: '80' }, how),
    access.edit({ kind: 'item.update', item: 'desk', by: 4 }, how),
    client.query(`UPDATE orderctl.products SET reorder_level = 1 WHERE item = 'desk'`),
  ]);
  await using reader = await access.read();
  expect([...(await reader.items())].find(({ item }) => item === 'desk')).toMatchObject({
    quantity: 6,
    name: 'Table',
    price: '80.00',
    reorderLevel: 1,
  });
  expect(await differences()).toEqual([]);
});
