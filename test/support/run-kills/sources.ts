import { expect } from 'vitest';
import { INVENTORY_EVENT, type InventoryEvent } from '../../../src/domain/messages/shop/inventory-event.ts';
import {
  INVENTORY_UPDATE,
  type InventoryUpdate,
} from '../../../src/domain/messages/stock/inventory-update.ts';
import { ONLINE_ORDER } from '../../../src/domain/messages/stock/online-order.ts';
import { STORE_SALE } from '../../../src/domain/messages/stock/store-sale.ts';
import { SUPPLIER_RESTOCK } from '../../../src/domain/messages/stock/supplier-restock.ts';
import type { StockEvent } from '../../../src/domain/stock/events.ts';
import type { SentEvent } from '../../../src/documents/reports/source-events.ts';
import { openShop, type Shop } from '../cli.ts';
import { createTopic, jsonOrder, sendRaw } from '../topics.ts';
import { startCluster } from './cluster.ts';
import type { KillableDatabase } from './database.ts';
import { expectUnbroken } from './events.ts';
import { killOften } from './kill-often.ts';
import { messagesOf } from './messages.ts';

/** So little of the second item that stores sell more than the stock, and orders are rejected. */
const STOCK: Readonly<Record<string, number>> = { book: 10_000, pen: 15, lamp: 10_000 };
const EVENTS_A_LIFE = 30;
const ORDERS_A_LIFE = 10;
const PUT_IN = 5;
const SERVICES = 'orders stock';

/**
 * Orders, online orders, sales of stores and deliveries of suppliers as `produce --source all` sends them, invalid and
 * repeated ones among them, under kill -9 of the run, of the broker and, if there is one, of the database and its
 * sessions: each event counts once, each invalid one is one dead letter, each is announced once, and the stock is the
 * sum of all.
 */
export async function killSources(
  kills: number,
  random: () => number,
  database: KillableDatabase | null,
): Promise<void> {
  const cluster = await startCluster();
  const shop = openShop({
    ORDERCTL_BROKERS: cluster.brokers,
    ORDERCTL_REGISTRY: cluster.registry,
    ORDERCTL_EVENTS: 'true',
    ...(database === null ? {} : { ORDERCTL_STORAGE: '', ORDERCTL_STORE: database.url }),
  });
  await shop.ok('user add alice --status paid');
  for (const [item, quantity] of Object.entries(STOCK))
    await shop.ok(`inventory add ${item} --quantity ${quantity} --price 1.10`);
  for (const topic of [shop.topic, ONLINE_ORDER.name, STORE_SALE.name, SUPPLIER_RESTOCK.name])
    await createTopic(topic, 3, cluster.brokers);
  const sent: SentEvent[] = [];
  const orders: string[] = [];
  let putIn = 0;
  await killOften({
    shop,
    cluster,
    command: `run ${SERVICES}`,
    kills,
    random,
    feed: async () => {
      const seed = Math.floor(random() * 2 ** 31);
      const events = `produce --source all --count ${EVENTS_A_LIFE} --faulty 10 --seed ${seed}`;
      // The same seed sends the same events under the same ids.
      for (let times = random() < 0.2 ? 2 : 1; times > 0; times -= 1) {
        const lines = await shop.lines(events);
        sent.push(...(lines.filter(({ type }) => type === 'sent') as unknown as SentEvent[]));
      }
      const placed = Array.from({ length: ORDERS_A_LIFE }, () => {
        orders.push(`o-${orders.length}`);
        return jsonOrder(orders.at(-1) ?? '', 'alice', { [random() < 0.3 ? 'pen' : 'book']: 1 });
      });
      await sendRaw(shop.topic, placed, cluster.brokers);
    },
    beside: async () => {
      await shop.ok(`inventory update pen --by +${PUT_IN}`);
      putIn += PUT_IN;
    },
    ...(database === null ? {} : { hurt: () => hurt(database, random) }),
  });
  await shop.ok(`run ${SERVICES} --until-end`, { timeoutMs: 300_000 });
  const facts = await factsOf(shop, database);
  expectEachOnce(sent, facts);
  await expectDeadLetters(shop, sent);
  const onHand = await onHandOf(shop);
  expect(onHand).toEqual(await stockAfter(shop, facts, putIn, orders));
  const updates = await messagesOf<InventoryUpdate>(INVENTORY_UPDATE, cluster.brokers);
  const said = updates.map(({ value }) => `${value.event_id} ${value.outcome} ${value.delta}`);
  expect(said.sort()).toEqual(facts.map((one) => `${one.event_id} ${one.status} ${one.delta}`).sort());
  const events = await messagesOf<InventoryEvent>(INVENTORY_EVENT, cluster.brokers);
  expectUnbroken(onHand, events, Object.keys(STOCK));
  await shop.ok('audit');
}

async function hurt(database: KillableDatabase, random: () => number): Promise<boolean> {
  const chance = random();
  if (chance < 0.1) {
    await database.kill();
    await database.restart();
  } else if (chance < 0.25) await database.killSession(random);
  else if (chance < 0.4) await database.endSession(random);
  return chance < 0.4;
}

const isRight = ({ product_id, quantity }: SentEvent): boolean => product_id in STOCK && quantity > 0;

/** Every valid event is in the log once, and had its effect. */
function expectEachOnce(sent: readonly SentEvent[], facts: readonly StockEvent[]): void {
  const ids = new Set(sent.filter(isRight).map(({ event_id }) => event_id));
  expect(facts.map(({ event_id }) => event_id).sort()).toEqual([...ids].sort());
  for (const { event_id, source, status, quantity, delta } of facts) {
    const applied = source === 'supplier_restocks' ? quantity : -quantity;
    expect([event_id, delta]).toEqual([event_id, status === 'applied' ? applied : 0]);
    if (status === 'rejected') expect(source, event_id).toBe('online_orders');
  }
}

/** An invalid record is one dead letter, wherever it is. */
async function expectDeadLetters(shop: Shop, sent: readonly SentEvent[]): Promise<void> {
  const place = ({ topic, partition, offset }: Record<'topic' | 'partition' | 'offset', unknown>): string =>
    `${String(topic)}/${String(partition)}@${String(offset)}`;
  const wrong = sent.filter((one) => !isRight(one)).map(place);
  const lines = (await shop.lines('dlq list --processor stock')) as unknown as readonly {
    readonly type: string;
    readonly original: Record<'topic' | 'partition' | 'offset', unknown>;
  }[];
  const letters = lines.filter(({ type }) => type === 'dead_letter').map(({ original }) => place(original));
  expect(letters.sort()).toEqual(wrong.sort());
}

async function factsOf(shop: Shop, database: KillableDatabase | null): Promise<readonly StockEvent[]> {
  if (database === null) return shop.jsonl('events_log.jsonl') as unknown as readonly StockEvent[];
  const rows = await database.ask<{ value: StockEvent }>(
    `SELECT value FROM orderctl.events_log WHERE log = 'events_log' ORDER BY seq, ordinal`,
  );
  return rows.map(({ value }) => value);
}

async function onHandOf(shop: Shop): Promise<Record<string, number>> {
  const { items } = await shop.json('inventory show');
  const rows = items as unknown as readonly { readonly item: string; readonly quantity: number }[];
  return Object.fromEntries(rows.map(({ item, quantity }) => [item, quantity]));
}

async function stockAfter(
  shop: Shop,
  facts: readonly StockEvent[],
  putIn: number,
  sent: readonly string[],
): Promise<Record<string, number>> {
  const left: Record<string, number> = { ...STOCK, pen: (STOCK.pen ?? 0) + putIn };
  for (const { product_id, delta } of facts) left[product_id] = (left[product_id] ?? 0) + delta;
  const orders = await shop.lines('order list');
  expect(orders.map(({ order_id }) => order_id).sort()).toEqual([...sent].sort());
  for (const { status, items } of orders)
    if (status === 'accepted')
      for (const { item, quantity } of items) left[item] = (left[item] ?? 0) - quantity;
  return left;
}
