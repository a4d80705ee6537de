import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { fill, type Shop } from './cli.ts';
import { createTopic, jsonOrder, openSender } from './topics.ts';

const ITEMS = ['book', 'pen', 'notebook'];
/** Never sold out by a long run: the sum shows every unit that was deducted twice or not at all. */
const STOCK = 1_000_000;
/** Long enough for a start, recovery, joining and a second of full flow: a kill may hit any of them. */
const LONGEST_LIFE_MS = 2_000;

/**
 * Kills a consumer in full flow, again and again at random moments of its life, while `inventory update`s run; then
 * reads to the end and requires stock = start + edits − sold, and exactly one decision for each id.
 */
export async function killLoop(shop: Shop, kills: number, random: () => number): Promise<void> {
  fill(shop, { alice: 'paid', bob: 'unpaid' }, Object.fromEntries(ITEMS.map((item) => [item, STOCK])));
  await createTopic(shop.topic, 6);

  const sent: string[] = [];
  const sender = await openSender(shop.topic);
  /** A chunk of the flow; every twentieth order is sent twice, and the second copy must be a duplicate. */
  const sendChunk = async (): Promise<void> => {
    const orders = Array.from({ length: 100 }, (_, i) => {
      const n = sent.length + i - (i % 20 === 1 ? 1 : 0);
      return jsonOrder(`o-${n}`, n % 10 > 7 ? 'bob' : 'alice', { [ITEMS[n % 3] ?? '']: 1 });
    });
    await sender.send(orders);
    for (const { key } of orders) sent.push(String(key));
  };

  let added = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const consumer = shop.start('consume');
    const killed = new AbortController();
    const flow = (async () => {
      while (!killed.signal.aborted) {
        await sendChunk();
        await sleep(10);
      }
    })();
    const lifeMs = random() * LONGEST_LIFE_MS;
    if (random() < 0.3) {
      await sleep(lifeMs / 2);
      await shop.ok('inventory update --item book --by +10');
      added += 10;
    }
    await sleep(lifeMs / 2);
    consumer.signal('SIGKILL');
    const { signal, code, stderr } = await consumer.exited;
    killed.abort();
    await flow;
    expect(signal, `kill ${kill}: it had left with ${code}: ${stderr}`).toBe('SIGKILL');
  }
  await sender.close();

  const [summary] = await shop.lines('consume --until-end --quiet');
  expect(summary).toMatchObject({ stopped_by: 'end', conflicts: 0, dead_lettered: 0 });
  const accepted = shop.jsonl('orders.jsonl');
  const ids = [...accepted, ...shop.jsonl('rejections.jsonl')].map((order) => order.order_id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(ids)).toEqual(new Set(sent));
  const stock: Record<string, number> = Object.fromEntries(ITEMS.map((item) => [item, STOCK]));
  stock.book = STOCK + added;
  for (const order of accepted) {
    for (const { item, quantity } of order.items) stock[item] = (stock[item] ?? 0) - quantity;
  }
  expect(shop.stock()).toEqual(stock);

  // Reading everything again finds nothing new.
  const before = shop.read('orders.jsonl');
  const [again] = await shop.lines('consume --reset --until-end --quiet');
  const read = sent.length;
  expect(again).toMatchObject({ accepted: 0, rejected: 0, conflicts: 0, read, duplicates: read });
  expect(shop.read('orders.jsonl')).toBe(before);
}
