import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { ALERT, type Alert } from '../../../src/domain/messages/shop/alert.ts';
import { INVENTORY_EVENT, type InventoryEvent } from '../../../src/domain/messages/shop/inventory-event.ts';
import { ORDER } from '../../../src/domain/messages/shop/order.ts';
import { fill, openShop, type Shop } from '../cli.ts';
import { confluentValue, createTopic, jsonOrder, registerSchema, sendRaw } from '../topics.ts';
import { startCluster } from './cluster.ts';
import { expectUnbroken } from './events.ts';
import { killOften } from './kill-often.ts';
import { messagesOf, type Sent } from './messages.ts';
import { openPostOffice, type PostOffice } from './post-office.ts';

const PLENTY = ['book', 'pen', 'ink', 'cup', 'lamp', 'desk'];
const SCARCE = ['P-567', 'P-568'];
const LOW = 1;
const ORDERS_A_LIFE = 30;

/**
 * Orders, events, alerts and mail under kill -9: each event and alert has one id and one content, and none is missing;
 * each alert was mailed at least once, under one Message-ID; the books balance.
 */
export async function killDirectFlow(kills: number, random: () => number): Promise<void> {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const cluster = await startCluster();
  const office = await openPostOffice(() => random() < 0.05);
  const shop = openShop({
    ORDERCTL_BROKERS: cluster.brokers,
    ORDERCTL_REGISTRY: cluster.registry,
    ORDERCTL_EVENTS: 'true',
    ORDERCTL_USERS: 'optional',
    ORDERCTL_LOW_STOCK: String(LOW),
    ORDERCTL_ALERTS: `smtp://127.0.0.1:${office.port}?from=shop@example.org&to=stock@example.org`,
  });
  const stock = { ...of(PLENTY, 100_000), ...of(SCARCE, 3) };
  fill(shop, { alice: 'paid', bob: 'unpaid' }, stock);
  await createTopic(shop.topic, 3, cluster.brokers);
  const schemaId = await registerSchema(`${shop.topic}-value`, ORDER.schema, cluster.registry);

  const sent = new Set<string>();
  const order = (): Parameters<typeof sendRaw>[1][number] => {
    const id = `o-${sent.size}`;
    sent.add(id);
    const item = random() < 0.1 ? pick(SCARCE) : pick(PLENTY);
    const way = random();
    if (way < 0.4) return { key: id, value: JSON.stringify({ order_id: id, product_id: item, quantity: 1 }) };
    const user = random() < 0.1 ? 'bob' : 'alice';
    if (way < 0.6) return jsonOrder(id, user, { [item]: 1, [pick(PLENTY)]: 2 });
    const value = {
      order_id: id,
      user,
      items: [{ item, quantity: 1, unit_price: null }],
      created_at: 1_760_000_000_000,
    };
    return { key: id, value: confluentValue(schemaId, ORDER.schema, value) };
  };
  const acts = [
    () => saveByHand(shop, pick(SCARCE)),
    () => editInEditor(shop, pick(SCARCE)),
    () => shop.ok(`inventory update --item ${pick(SCARCE)} --by +2`),
  ];
  await killOften({
    shop,
    cluster,
    command: 'run orders delivery',
    kills,
    random,
    feed: () => sendRaw(shop.topic, Array.from({ length: ORDERS_A_LIFE }, order), cluster.brokers),
    beside: () => pick(acts)(),
  });
  await shop.ok('run orders delivery --until-end');

  const events = await messagesOf<InventoryEvent>(INVENTORY_EVENT, cluster.brokers);
  const alerts = await messagesOf<Alert>(ALERT, cluster.brokers);
  expectDecided(shop, sent);
  expectUnbroken(shop.stock(), events, Object.keys(stock));
  expectAllSales(shop, events);
  expectAllAlerts(shop, events, alerts);
  expectAllMailed(alerts, office);
  await shop.ok('audit --with-topic');
}

function of(items: readonly string[], quantity: number): Record<string, number> {
  return Object.fromEntries(items.map((item) => [item, quantity]));
}

/** A user saves the file with two more of an item; the log of edits shows the outcome. */
async function saveByHand(shop: Shop, item: string): Promise<void> {
  const text = shop.read('inventory.csv');
  if (text === '') return;
  const saved = path.join(shop.storage, 'inventory.csv.saving');
  fs.writeFileSync(saved, twoMore(text, item));
  fs.renameSync(saved, path.join(shop.storage, 'inventory.csv'));
}

function twoMore(text: string, item: string): string {
  return text.replace(new RegExp(`^${item},(\\d+)`, 'm'), (_, quantity) => `${item},${Number(quantity) + 2}`);
}

async function editInEditor(shop: Shop, item: string): Promise<void> {
  const editor = path.join(shop.folder, 'editor.sh');
  fs.writeFileSync(
    editor,
    `#!/bin/sh\nawk -F, -v OFS=, '$1 == "${item}" { $2 += 2 } { print }' "$1" > "$1.new" && mv "$1.new" "$1"\n`,
    { mode: 0o755 },
  );
  await shop.built.ok(['inventory', 'edit', '--with', editor]);
}

function expectDecided(shop: Shop, sent: ReadonlySet<string>): void {
  const ids = [...shop.jsonl('orders.jsonl'), ...shop.jsonl('rejections.jsonl')].map((one) => one.order_id);
  expect(ids).toHaveLength(sent.size);
  expect(new Set(ids)).toEqual(sent);
}

/** Every sale belongs to one order. */
function expectAllSales(shop: Shop, events: readonly Sent<InventoryEvent>[]): void {
  const sales = events.flatMap(({ value }) =>
    value.cause === 'sale' ? [`${String(value.order_id)} ${value.item} ${-value.delta}`] : [],
  );
  const sold = shop.jsonl('orders.jsonl').flatMap(({ order_id, items: lines }) => {
    const totals: Record<string, number> = {};
    for (const { item, quantity } of lines) totals[item] = (totals[item] ?? 0) + quantity;
    return Object.entries(totals).map(([item, quantity]) => `${order_id} ${item} ${quantity}`);
  });
  expect(sales.toSorted()).toEqual(sold.toSorted());
}

/** The alerts that the events cause, and one for the first order that was rejected for lack of an item. */
function expectAllAlerts(
  shop: Shop,
  events: readonly Sent<InventoryEvent>[],
  alerts: readonly Sent<Alert>[],
): void {
  const expected = events.flatMap(({ value: { item, revision, delta, on_hand } }) => {
    const before = on_hand - delta;
    // A row that is added has crossed no threshold.
    if (revision === 1) return [];
    return [
      ...(before > LOW && on_hand <= LOW ? [`${item} ${revision} low_stock`] : []),
      ...(before > 0 && on_hand === 0 ? [`${item} ${revision} out_of_stock`] : []),
    ];
  });
  const say = ({ value }: Sent<Alert>): string => `${value.item} ${value.revision} ${value.kind}`;
  const wanting = alerts.filter(({ value }) => value.kind === 'insufficient_stock');
  expect(
    alerts
      .filter((one) => !wanting.includes(one))
      .map(say)
      .toSorted(),
  ).toEqual(expected.toSorted());
  // Once for a stock that has not risen since.
  expect(new Set(wanting.map(say)).size).toBe(wanting.length);
  const refused = shop.jsonl('rejections.jsonl').filter(({ reason }) => reason === 'insufficient_stock');
  const lacking = (detail: unknown): string => /^item (\S+) has/.exec(String(detail))?.[1] ?? '';
  expect(new Set(wanting.map(({ value }) => value.item))).toEqual(
    new Set(refused.map(({ detail }) => lacking(detail))),
  );
  const refusedIds = new Set(refused.map(({ order_id }) => order_id));
  for (const { value } of wanting) expect(refusedIds).toContain(value.order_id);
}

/** At least one copy, and every copy is identical to the first. */
function expectAllMailed(alerts: readonly Sent<Alert>[], { mails }: PostOffice): void {
  const ids = [...mails.keys()].map(decodeURIComponent);
  expect(new Set(ids)).toEqual(new Set(alerts.map(({ id }) => id)));
  for (const [id, copies] of mails) expect(new Set(copies).size, `${id} was mailed in two forms`).toBe(1);
}
