import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fill, openShop, type Shop } from '../support/cli.ts';
import { createTopic, readTopic, sendRaw } from '../support/topics.ts';

const SOURCES = ['online_orders', 'store_sales', 'supplier_restocks'] as const;

/** A shop whose sources have topics of their own. */
function openSources(env: Readonly<Record<string, string>> = {}): {
  readonly shop: Shop;
  readonly topicOf: (message: string) => string;
} {
  const { topic } = openShop();
  const topicOf = (message: string): string => `${topic}-${message}`;
  const names = [...SOURCES, 'inventory_updates', 'inventory-events', 'alerts', 'dlq'];
  const topics = names.map((name) => `${name}=${topicOf(name)}`).join(',');
  return { shop: openShop({ ...env, ORDERCTL_TOPICS: topics }), topicOf };
}

const event = (event_id: string, product_id: string, quantity: unknown, more: object = {}) => ({
  key: product_id,
  value: JSON.stringify({ event_id, product_id, quantity, occurred_at: '2026-11-01T10:00:00Z', ...more }),
});

test('three sources make one stock: doubled events count once, and one of an unknown product once it exists', async () => {
  const { shop, topicOf } = openSources({ ORDERCTL_EVENTS: 'true' });
  fill(shop, {}, { pen: 5 });
  for (const name of SOURCES) await createTopic(topicOf(name), 2);
  const sale = event('s-1', 'pen', 8, { store_id: 'S-1', unit_price: '2.50' });
  await sendRaw(topicOf('store_sales'), [sale, sale, event('s-2', 'ink', 2), event('s-3', 'pen', 'two')]);
  const run = async () => JSON.parse((await shop.ok('run stock --until-end -o json')).stdout) as unknown;
  expect(await run()).toMatchObject({
    processors: [
      { processor: 'stock', read: 4, dead_lettered: 2, outcomes: { handled: 1, seen: 1 }, commits: 1 },
    ],
    unsent: {},
  });
  expect(shop.stock()).toEqual({ pen: -3 });
  const { items } = await shop.json('inventory show');
  expect(items).toMatchObject([{ item: 'pen', quantity: -3 }]);

  await sendRaw(topicOf('supplier_restocks'), [event('r-1', 'pen', 10, { supplier_id: 'ACME' })]);
  expect(await run()).toMatchObject({ processors: [{ read: 1, outcomes: { handled: 1 } }] });
  await sendRaw(topicOf('online_orders'), [event('o-1', 'pen', 9), event('o-2', 'pen', 7)]);
  expect(await run()).toMatchObject({ processors: [{ read: 2, outcomes: { handled: 1, rejected: 1 } }] });
  expect(shop.stock()).toEqual({ pen: 0 });

  const letters = await shop.lines('dlq list --processor stock');
  expect(letters.slice(0, -1).map(({ error_code, error_stage }) => [error_code, error_stage])).toEqual(
    expect.arrayContaining([
      ['unknown_product', 'apply'],
      ['invalid_field', 'validate'],
    ]),
  );
  await shop.ok('inventory add ink --quantity 3');
  const unknown = letters.find(({ error_code }) => error_code === 'unknown_product');
  await shop.ok(['dlq', 'redrive', String(unknown?.id), '--execute']);
  expect(await run()).toMatchObject({ processors: [{ read: 1, outcomes: { handled: 1 } }] });
  expect(shop.stock()).toEqual({ pen: 0, ink: 1 });

  const log = fs.readFileSync(path.join(shop.storage, 'events_log.jsonl'), 'utf8').trim().split('\n');
  const facts = log.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(facts.map(({ event_id, status }) => [event_id, status])).toEqual([
    ['s-1', 'applied'],
    ['r-1', 'applied'],
    ['o-1', 'rejected'],
    ['o-2', 'applied'],
    ['s-2', 'applied'],
  ]);
  expect(Buffer.from(String(facts[0]?.raw), 'base64').toString()).toBe(sale.value);
  expect((await readTopic(topicOf('inventory_updates'))).length).toBe(5);
  const alerts = (await readTopic(topicOf('alerts'))).map(({ key }) => key);
  expect(alerts.length).toBeGreaterThanOrEqual(3);
  expect(await shop.json('audit')).toMatchObject({ ok: true });
});

test('produce --source makes events of all sources, some doubled and some wrong; sent again they count once', async () => {
  const { shop, topicOf } = openSources();
  fill(shop, {}, { pen: 20, ink: 20 });
  const send = 'produce --source all --count 80 --seed 7 --faulty 25';
  const lines = await shop.lines(send);
  const sent = lines.slice(0, -1);
  expect(lines.at(-1)).toMatchObject({ sent: 80, failed: 0, unknown: 0, interrupted: false });
  expect(new Set(sent.map(({ source }) => source))).toEqual(new Set(['online', 'store', 'supplier']));
  expect(new Set(sent.map(({ event_id }) => event_id)).size).toBeLessThan(75);
  expect(sent.filter(({ product_id }) => product_id === 'no-such-product').length).toBeGreaterThan(0);
  const run = async () => JSON.parse((await shop.ok('run stock --until-end -o json')).stdout) as RunOf;
  const first = (await run()).processors[0];
  expect(first).toMatchObject({ read: 80 });
  expect(first?.dead_lettered).toBeGreaterThan(0);
  const stock = shop.stock();
  const { stdout } = await shop.ok(send);
  expect(stdout).toContain(`to ${topicOf('online_orders')}`);
  const { outcomes } = (await run()).processors[0] ?? { outcomes: {} };
  expect(outcomes).toEqual({ seen: 80 - (first?.dead_lettered ?? 0) });
  expect(shop.stock()).toEqual(stock);
  expect(await shop.json('audit')).toMatchObject({ ok: true });
  for (const wrong of ['--source tills', '--source store --user bob', '--faulty 5']) {
    expect((await shop.run(`produce ${wrong}`)).code, wrong).toBe(2);
  }
});

test('produce --source sends exactly one sale or delivery, and order show says what an event did', async () => {
  const { shop } = openSources();
  fill(shop, {}, { pen: 5 });
  const sold = await shop.lines('produce --source store --store-id S1 --order-id T-1 --item pen=7');
  expect(sold[0]).toMatchObject({ source: 'store', event_id: 'T-1', product_id: 'pen', quantity: 7 });
  await shop.ok('produce --source supplier --supplier-id ACME --item pen --quantity 4');
  await shop.ok('run stock --until-end');
  expect(shop.stock()).toEqual({ pen: 2 });
  const shown = await shop.run('order show T-1');
  expect(shown.code).toBe(3);
  expect(shown.stderr).toMatch(
    /T-1 is an event, not an order: pen×7 sold in a store, -?\d+ on hand after it/,
  );
  for (const wrong of [
    '--source all --item pen=1',
    '--source online --store-id S1 --item pen=1',
    '--source store --store-id S1',
    '--store-id S1',
    '--source store --item pen',
    '--source store --item pen=1 --count 2',
    '--source store --order-id T-2 --item pen=1 --item pen=2',
  ]) {
    expect((await shop.run(`produce ${wrong}`)).code, wrong).toBe(2);
  }
});

interface RunOf {
  readonly processors: readonly {
    readonly dead_lettered: number;
    readonly outcomes: Readonly<Record<string, number>>;
  }[];
}
