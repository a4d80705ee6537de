import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import pg from 'pg';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import { arrayLiteral } from '../../src/adapters/postgres/rows/arrays.ts';
import { postgresAdmin } from '../../src/adapters/postgres/whole/admin.ts';
import { systemClock } from '../../src/compose.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { fillShop } from '../support/postgres-shop.ts';

let server: TestPostgres;
let client: pg.Client;
beforeAll(async () => {
  server = await startTestPostgres();
  client = new pg.Client(server.url);
  await client.connect();
  await fillShop(
    openPostgres({ url: server.url, password: null, clock: systemClock, processes, user: 'tester' }),
  );
  await client.query(`INSERT INTO orderctl.suppliers VALUES ('ACME', 'Acme', 'a@acme')`);
});
afterAll(async () => {
  await client.end();
  await server[Symbol.asyncDispose]();
});

test('a store of an earlier version is refused by what lists or counts its rows, with the way out', async () => {
  const admin = postgresAdmin({ url: server.url, password: null, clock: systemClock, processes });
  const {
    rows: [newest],
  } = await client.query<{ number: number }>(
    'DELETE FROM orderctl.migrations WHERE number = (SELECT max(number) FROM orderctl.migrations) RETURNING number',
  );
  try {
    for (const look of [() => admin.about(), () => admin.lists.rows('suppliers')]) {
      await expect(look()).rejects.toMatchObject({
        code: 'store_refused',
        fix: { kind: 'migrate_store' },
      });
    }
  } finally {
    await client.query('INSERT INTO orderctl.migrations (number) VALUES ($1)', [newest?.number]);
  }
  expect(await admin.about()).toMatchObject({ version: newest?.number });
});

test('arrays reach a statement as they are', async () => {
  const texts = [
    '',
    'NULL',
    'null',
    '{a,b}',
    'a "b"',
    '\\',
    '\\n',
    'a\nb\t',
    'é\u{1f600}',
    '\u0001',
    '\u2028',
    ' a ',
    null,
  ];
  const numbers = [0, -1, 0.1, 1e21, 2 ** 53 - 1, null, NaN, Infinity, -Infinity];
  for (const [type, values] of [
    ['text', texts],
    ['float8', numbers],
  ] as const) {
    // Each alone and before others: what is left to the driver is decided for the whole array.
    for (const some of [values, [], ...values.map((value) => [value, values[0]])]) {
      const { rows } = await client.query<{ back: unknown[] }>(`SELECT $1::${type}[] AS back`, [
        arrayLiteral(some),
      ]);
      expect(rows).toEqual([{ back: some }]);
    }
  }
  expect(arrayLiteral(['', 'NULL', '{a,b}', 'a "b"', '\\', null])).toBeTypeOf('string');
});

describe('views for SQL', () => {
  test.each([
    ['products', 'product_id, name, category, price'],
    ['inventory', 'product_id, quantity_on_hand, last_updated'],
    ['orders', 'order_id, product_id, quantity, source, timestamp'],
    ['suppliers', 'supplier_id, name, contact'],
    ['events_log', 'event_id, raw_event, processed_at, status'],
    ['reports', 'report_date, total_sales, top_sellers, low_stock'],
  ])('shop.%s has the columns that shops expect', async (view, columns) => {
    const { fields } = await client.query(`SELECT * FROM shop.${view}`);
    expect(fields.map(({ name }) => name).join(', ')).toBe(columns);
  });

  test('have the sales of all channels, what was paid and what was sent', async () => {
    const rows = async (statement: string): Promise<unknown> => (await client.query<object>(statement)).rows;
    expect(
      await rows('SELECT order_id, product_id, quantity, source FROM shop.orders ORDER BY order_id'),
    ).toEqual([
      { order_id: 'E-1', product_id: 'pen', quantity: '3', source: 'store' },
      { order_id: 'ORD-1', product_id: 'pen', quantity: '2', source: 'online' },
      { order_id: 'WEB-1', product_id: 'pen', quantity: '2', source: 'online' },
    ]);
    expect(
      await rows(`SELECT order_id, status, amount, reason, attempts FROM orderctl.payments ORDER BY 1`),
    ).toEqual([
      { order_id: 'WEB-1', status: 'paid', amount: '3.00', reason: null, attempts: 2 },
      { order_id: 'WEB-2', status: 'declined', amount: '9.00', reason: 'no_funds', attempts: 1 },
    ]);
    expect(await rows(`SELECT order_id, status, carrier FROM orderctl.shipments`)).toEqual([
      { order_id: 'WEB-1', status: 'dispatched', carrier: 'DHL' },
    ]);
    expect(
      await rows(`SELECT event_id, convert_from(raw_event, 'UTF8') AS raw, status FROM shop.events_log`),
    ).toEqual([
      { event_id: 'E-1', raw: '{}', status: 'applied' },
      { event_id: 'E-2', raw: '{}', status: 'rejected' },
    ]);
    expect(await rows('SELECT * FROM shop.suppliers')).toEqual([
      { supplier_id: 'ACME', name: 'Acme', contact: 'a@acme' },
    ]);
  });
});

/** References that are not enforced: each row would cost a look-up, and rejected orders name what does not exist. */
const UNENFORCED = [
  ['order_lines', 'orders', 'order_id'],
  ['orders', 'users', 'user_name'],
  ['order_lines', 'products', 'item'],
  ['stock_movements', 'products', 'item'],
] as const;

test('the picture of the tables is the one in the docs', async () => {
  const { rows: columns } = await client.query<{
    table: string;
    column: string;
    type: string;
    key: boolean;
  }>(`
    SELECT c.relname AS table, a.attname AS column, replace(format_type(a.atttypid, NULL), ' ', '_') AS type,
      EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY(i.indkey)) AS key
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'orderctl'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname, a.attnum`);
  const { rows: references } = await client.query<{ from: string; to: string; column: string }>(`
    SELECT c.conrelid::regclass::text AS from, c.confrelid::regclass::text AS to, a.attname AS column
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND c.connamespace = 'orderctl'::regnamespace ORDER BY 1, 2`);
  const bare = (name: string): string => name.replace('orderctl.', '');
  const picture = [
    ...references.map(({ from, to, column }) => `  ${bare(to)} ||--o| ${bare(from)} : ${column}`),
    ...UNENFORCED.map(([from, to, column]) => `  ${to} ||..o{ ${from} : ${column}`),
    ...[...new Set(columns.map(({ table }) => table))].flatMap((table) => [
      `  ${table} {`,
      ...columns
        .filter((column) => column.table === table)
        .map(({ column, type, key }) => `    ${type} ${column}${key ? ' PK' : ''}`),
      '  }',
    ]),
  ];
  const text = `# The tables of a store in PostgreSQL

Schema \`orderctl\`, from a live database by \`test/contract/postgres-schema.test.ts\`, which writes this file with \`-u\`. Dotted
lines are references that no constraint enforces. [A database for a store](postgres.md) says which tables SQL may change.

\`\`\`mermaid
erDiagram
${picture.join('\n')}
\`\`\`
`;
  await expect(text).toMatchFileSnapshot('../../docs/postgres-tables.md');
});
