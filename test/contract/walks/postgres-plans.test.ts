import os from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { processes } from '../../../src/adapters/files/owner/processes.ts';
import { openPostgres } from '../../../src/adapters/postgres/open.ts';
import { systemClock } from '../../../src/compose.ts';
import { CHECKOUT } from '../../../src/domain/checkout/facts.ts';
import { newFact } from '../../../src/domain/facts.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';
import { destinationOf, STOCK_LOGS } from '../../../src/ports/store.ts';
import { startInProcess } from '../../support/in-process.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { EFFECT, fillShop, LETTER, STEP } from '../../support/postgres-shop.ts';
import { accepted, collect, order } from '../store.suite.ts';

let server: TestPostgres;
let client: pg.Client;
let access: StoreAccess;
beforeAll(async () => {
  server = await startTestPostgres();
  client = new pg.Client(server.url);
  await client.connect();
  access = openPostgres({ url: server.url, password: null, clock: systemClock, processes, user: 'tester' });
  await fillShop(access);
});
afterAll(async () => {
  await client.end();
  await server[Symbol.asyncDispose]();
});

/** Statements that read a table as a whole, which is what they are for. */
const WHOLE = [
  // Tables of users and items, as they are listed.
  /FROM orderctl\.users ORDER BY place/,
  /USING \(item\) ORDER BY p\.place/,
  // What waits and is owed, which is little: counted once by an owner that starts, and by an audit.
  /FROM orderctl\.outbox GROUP BY destination/,
  // Of others, which a run to the end waits for.
  /FROM orderctl\.outbox WHERE NOT shard/,
  /FROM orderctl\.effects ORDER BY place/,
  /UPDATE orderctl\.effects SET due_at = 0/,
  // Small tables, which an owner has in memory.
  /FROM orderctl\.small_tables ORDER BY place/,
  // An audit looks for ids that are in both.
  /FROM orderctl\.orders o JOIN orderctl\.archived_orders/,
  /FROM orderctl\.archived_sales/,
  // Reports and analytics add up all orders.
  /width_bucket/,
  /min\(seq \+ 0\) AS seq FROM orderctl\.orders/,
  // "store show" counts.
  /AS name, count\(\*\) AS rows/,
];
const COMMANDS = [
  'user show',
  'user show alice',
  'user log',
  'user update --user alice --status unpaid',
  'inventory show pen',

  'inventory show',
  'inventory log pen',
  'inventory update --item pen --by +1',
  'inventory undo',
  'order list',
  'order list --status rejected --limit 3',
  'order list --user alice --since 2h',
  'order show ORD-1',

  'order show WEB-1',
  'order explain WEB-1',
  'audit',
  'status',
  'analytics show',
  'analytics top',
  'report show',
  'store show',
  'what-if --stock pen=1',
  'inventory show --at 2',
  '__complete order show O',
];

/** Of the shop above only some steps are known, and nothing runs on it. */
const ENDS = new Map([
  ['audit', 6],
  ['status', 3],
]);

/** Every statement that is run meanwhile, with the values of its last run. */
async function recorded(work: () => Promise<void>): Promise<ReadonlyMap<string, unknown[]>> {
  const statements = new Map<string, unknown[]>();
  const query = Reflect.get(pg.Client.prototype, 'query') as (...of: unknown[]) => unknown;
  const record = function (this: pg.Client, ...given: unknown[]): unknown {
    const [statement, values] = given;
    if (typeof statement === 'string') statements.set(statement, (values as unknown[] | undefined) ?? []);
    return query.apply(this, given);
  };
  Reflect.set(pg.Client.prototype, 'query', record);
  try {
    await work();
  } finally {
    Reflect.set(pg.Client.prototype, 'query', query);
  }
  return statements;
}

async function useAll(): Promise<void> {
  const env = { ORDERCTL_STORE: server.url, HOME: os.tmpdir() };
  for (const command of COMMANDS) {
    const { code, stderr } = await startInProcess(command.split(' '), env, os.tmpdir()).ended;
    expect([command, code], stderr).toEqual([command, ENDS.get(command) ?? 0]);
  }
  await using store = await access.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  const source = { processor: 'orders', topic: 'orders', partition: 0 } as const;
  await store.transact(
    {
      users: ['alice'],
      items: ['pen'],
      orders: ['ORD-2'],
      effects: ['e-2'],
      positions: [source],
      facts: new Map([[CHECKOUT, ['WEB-3']]]),
    },
    () => ({
      changes: {
        decisions: [accepted(order('ORD-2', 'pen', 1), [1])],
        facts: [newFact(CHECKOUT, { ...STEP, order_id: 'WEB-3', step: 'charge_owed', amount: '9.00' })],
        positions: [{ ...source, next: 1, last: null, clusterId: 'c' }],
        outgoing: [LETTER],
        effects: [{ id: 'e-2', effect: { ...EFFECT, id: 'e-2' } }],
      },
      result: null,
    }),
  );
  await store.drain(destinationOf(LETTER), async (unsent) =>
    unsent.flatMap((one) => (one.kind === 'record' ? [one] : [])),
  );
  await store.unsentElsewhere();
  await store.takeEffects({ kinds: ['charge'], limit: 10, leaseMs: 1000 });
  await store.transact({ effects: ['e-2'] }, () => ({
    changes: { effects: [{ id: 'e-2', effect: null }] },
    result: null,
  }));
  await using reader = await access.read();
  await collect(reader.factsFromEnd(CHECKOUT, { field: 'step', values: ['validated'] }));
  await collect(reader.decisionsFromEnd('rejected'));
  for (const log of STOCK_LOGS)
    for await (const { begin } of reader.stockFromEnd(log, 'pen')) expect(begin).toHaveLength(2);
  await collect(reader.history([CHECKOUT as never]));
  await collect(reader.movements());
  for await (const { name } of reader.undelivered()) expect(name).toBe(LETTER.id);
  await reader.userNamed('alice');
  await reader.itemNamed('pen');
  await reader.effects(['e-1']);
  await reader.facts(CHECKOUT, 'WEB-1');
  await reader.small({ name: 'suppliers' });
  const end = new AbortController();
  const following = reader.follow([CHECKOUT], end.signal);
  await access.edit(
    { kind: 'item.update', item: 'pen', by: 1 },
    { via: 'command', onNotice: () => undefined },
  );
  for await (const lines of following) if (lines.length > 0) end.abort();
}

const FILL = `SET orderctl.is_own = 'on';
  INSERT INTO orderctl.users (user_name, status) SELECT 'u' || n, 'paid' FROM generate_series(1, 5000) n;
  INSERT INTO orderctl.products (item) SELECT 'i' || n FROM generate_series(1, 5000) n;
  INSERT INTO orderctl.inventory (item, quantity) SELECT 'i' || n, 9 FROM generate_series(1, 5000) n;
  INSERT INTO orderctl.orders (order_id, seq, ordinal, status, user_name, created_at, decided_at, topic, partition,
      record_offset, reason)
    SELECT 'o' || n, 1000 + n / 50, n % 50, CASE n % 4 WHEN 0 THEN 'rejected' ELSE 'accepted' END, 'u1', 0, 0, 'orders', 0, n,
      CASE n % 4 WHEN 0 THEN 'unknown_user' END FROM generate_series(1, 20000) n;
  INSERT INTO orderctl.order_lines SELECT 'o' || n, l, 'i1', 1 FROM generate_series(1, 20000) n, generate_series(0, 1) l;
  INSERT INTO orderctl.stock_movements SELECT 1000 + n, 0, 0, 'i1', 1, 1, 'sale' FROM generate_series(1, 10000) n;
  INSERT INTO orderctl.edits SELECT 1000 + n, 0, 0, 'me', 'command', NULL, NULL, '{}', false FROM generate_series(1, 10000) n;
  INSERT INTO orderctl.events_log SELECT 1000 + n, 0, (ARRAY['checkout', 'events_log'])[1 + n % 2], 'k' || n, '{}'
    FROM generate_series(1, 20000) n;
  INSERT INTO orderctl.small_tables (table_name, key, value) SELECT 't' || n % 9, 'k' || n, '{}' FROM generate_series(1, 5000) n;
  INSERT INTO orderctl.effects (id, kind, key, fields, state, due_at, attempts)
    SELECT 'e' || n, 'mail', 'k', '{}', 'due', n, 0 FROM generate_series(1, 5000) n;
  INSERT INTO orderctl.outbox (destination, messages, message_count) SELECT 'd' || n % 9, '[]', 1 FROM generate_series(1, 5000) n;
  INSERT INTO orderctl.archives VALUES (1, 'f', 'x', 20000, 0, 999, 0);
  INSERT INTO orderctl.archived_orders SELECT 'a' || n, 1, 'accepted', 'u1', 0, 0, 'orders', 0, n, NULL, '[]'
    FROM generate_series(1, 20000) n;
  RESET orderctl.is_own; ANALYZE`;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

function scanned(plan: Plan): string[] {
  const own = plan['Node Type'] === 'Seq Scan' ? [plan['Relation Name'] ?? ''] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(scanned)];
}

test('no statement of a command, of the API or of a run reads a large table from end to end', async () => {
  const statements = await recorded(useAll);
  await client.query(FILL);
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'orderctl'::regnamespace AND relkind IN ('r', 'p') AND reltuples > 1000`,
  );
  const large = new Set(rows.map(({ name }) => name));
  expect(large.size).toBe(12);
  const found: string[] = [];
  let explained = 0;
  for (const [statement, values] of statements) {
    if (!/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)/.test(statement) || WHOLE.some((one) => one.test(statement)))
      continue;
    const explain = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `EXPLAIN (FORMAT JSON) ${statement}`,
      values,
    );
    const tables = explain.rows.flatMap((row) => scanned(row['QUERY PLAN'][0].Plan));
    explained += 1;
    for (const table of tables) if (large.has(table)) found.push(`${table}: ${statement}`);
  }
  expect(explained).toBeGreaterThan(40);
  expect(found).toEqual([]);
}, 300_000);
