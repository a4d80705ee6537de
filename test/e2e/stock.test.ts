import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fill, finish, openShop, type Running, type Shop } from '../support/cli.ts';
import { createTopic, jsonOrder, sendRaw } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

async function bookShop(quantity: number): Promise<Shop> {
  const shop = openShop();
  fill(shop, { alice: 'paid', bob: 'unpaid' }, { book: quantity, pen: 50 });
  await createTopic(shop.topic, 2);
  return shop;
}

async function stop(running: Running): Promise<void> {
  running.signal('SIGINT');
  const { code, stderr } = await finish(running, 'consume', 60_000);
  expect(code, stderr).toBe(0);
}

/** An editor may truncate a file and then write it: it counts once it was left alone for a tenth of a second. */
async function leftAlone(shop: Shop, file: string): Promise<void> {
  const savedAt = fs.statSync(path.join(shop.storage, file)).mtimeMs;
  await waitFor(`${file} to be left alone`, () => Date.now() - savedAt > 150);
}

async function send(shop: Shop, id: string, user: string, items: Record<string, number>): Promise<void> {
  await sendRaw(shop.topic, [jsonOrder(id, user, items)]);
}

test('the last unit is sold once; one more is insufficient stock', async () => {
  const shop = await bookShop(2);
  // One partition, so in this order.
  await sendRaw(
    shop.topic,
    ['last', 'one-more', 'pens'].map((id) => ({
      ...jsonOrder(
        id,
        'alice',
        id === 'pens' ? { pen: 1 } : id === 'last' ? { book: 2 } : { book: 1, pen: 1 },
      ),
      partition: 0,
    })),
  );
  const lines = await shop.lines('consume --until-end --each');
  expect(lines.slice(0, 3)).toMatchObject([
    { order_id: 'last', decision: 'accepted', reason: null },
    { order_id: 'one-more', decision: 'rejected', reason: 'insufficient_stock' },
    { order_id: 'pens', decision: 'accepted' },
  ]);
  // All or nothing: the pen of the rejected order is still there.
  expect(shop.stock()).toEqual({ book: 0, pen: 49 });
  expect(shop.jsonl('rejections.jsonl')).toMatchObject([
    {
      order_id: 'one-more',
      reason: 'insufficient_stock',
      items: [{ item: 'book', stock: 0 }, { item: 'pen' }],
    },
  ]);
});

test('lines of one item count together, and each reason is given in its order', async () => {
  const shop = await bookShop(3);
  const value = (id: string, user: string, items: object[]): string =>
    JSON.stringify({ order_id: id, user, items });
  const cases: [string, string, object[], string | null][] = [
    ['r1', 'nobody', [{ item: 'nothing', quantity: -1 }], 'unknown_user'],
    ['r2', 'bob', [{ item: 'nothing', quantity: -1 }], 'user_not_paid'],
    ['r3', 'alice', [{ item: 'nothing', quantity: 0 }], 'invalid_quantity'],
    ['r4', 'alice', [{ item: 'book', quantity: 1.5 }], 'invalid_quantity'],
    ['r5', 'alice', [], 'invalid_quantity'],
    ['r6', 'alice', [{ item: 'nothing', quantity: 99 }], 'unknown_item'],
    // prettier-ignore
    ['r7', 'alice', [{ item: 'book', quantity: 2 }, { item: 'book', quantity: 2 }], 'insufficient_stock'],
    // prettier-ignore
    ['ok', 'alice', [{ item: 'book', quantity: 1 }, { item: 'book', quantity: 2 }], null],
  ];
  await sendRaw(
    shop.topic,
    cases.map(([id, user, items]) => ({ key: id, value: value(id, user, items), partition: 0 })),
  );
  const lines = await shop.lines('consume --until-end --each');
  expect(
    lines.slice(0, cases.length).map((line) => [line.order_id, line.reason]),
    JSON.stringify(lines),
  ).toEqual(cases.map(([id, , , reason]) => [id, reason]));
  expect(shop.stock()).toEqual({ book: 0, pen: 50 });
});

test('commands in another terminal count from the next batch of a running consumer', async () => {
  const shop = await bookShop(1);
  const consumer = shop.host('consume');
  await send(shop, 'bob-1', 'bob', { pen: 1 });
  await consumer.says(/order bob-1 rejected: user bob is unpaid/);
  await shop.ok('user update --user bob --status paid');
  await send(shop, 'bob-2', 'bob', { pen: 1 });
  await consumer.says(/accepted bob-2/);

  await send(shop, 'alice-1', 'alice', { book: 2 });
  await consumer.says(/order alice-1 rejected: .*book/);
  await shop.ok('inventory update --item book --quantity 5');
  await send(shop, 'alice-2', 'alice', { book: 2 });
  await consumer.says(/accepted alice-2/);
  await shop.ok('inventory update --item book --by +20');
  await shop.ok('inventory add --item mug --quantity 7');
  await send(shop, 'alice-3', 'alice', { mug: 1, book: 1 });
  await consumer.says(/accepted alice-3/);
  // Shown at once, though the file may lag.
  const shown = await shop.json('inventory show');
  expect(shown.items.map(({ item, quantity }) => [item, quantity])).toEqual([
    ['book', 22],
    ['pen', 49],
    ['mug', 6],
  ]);
  await stop(consumer);
  expect(shop.stock()).toEqual({ book: 22, pen: 49, mug: 6 });
});

test('a save by an editor that had loaded an older version undoes no sale', async () => {
  const shop = await bookShop(10);
  const consumer = shop.host('consume');
  await consumer.says(/consuming/);
  const loaded = shop.read('inventory.csv');
  expect(loaded).toContain('book,10');

  await send(shop, 's-1', 'alice', { book: 3, pen: 5 });
  await consumer.says(/accepted s-1/);
  await waitFor('the sale in inventory.csv', shop.stock, (stock) => stock.book === 7);

  // As editors do: a new file beside it, renamed over it. Ten books became thirty: twenty came in.
  const edited = path.join(shop.storage, '.inventory.csv.swp');
  fs.writeFileSync(edited, loaded.replace('book,10', 'book,30'));
  fs.renameSync(edited, path.join(shop.storage, 'inventory.csv'));
  await leftAlone(shop, 'inventory.csv');
  await send(shop, 's-2', 'alice', { book: 25 });
  await consumer.says(/s-2/);
  expect(consumer.stderr()).toMatch(/accepted s-2/);
  await waitFor('both in the file', shop.stock, (stock) => stock.book === 2 && stock.pen === 45);
  await stop(consumer);
  expect(shop.stock()).toEqual({ book: 2, pen: 45 });
});

test('users.csv is edited by hand: a new row and a removed one count', async () => {
  const shop = await bookShop(10);
  const consumer = shop.host('consume');
  await consumer.says(/consuming/);
  shop.write('users.csv', 'user,status\r\nbob,paid\r\nalice,paid\r\ndave,paid\r\n');
  await leftAlone(shop, 'users.csv');
  await send(shop, 'h-1', 'dave', { book: 1 });
  await consumer.says(/accepted h-1/);
  shop.write('users.csv', 'user,status\nbob,paid\nalice,paid\n');
  await leftAlone(shop, 'users.csv');
  await send(shop, 'h-2', 'dave', { book: 1 });
  await consumer.says(/order h-2 rejected/);
  await stop(consumer);
  expect(shop.jsonl('rejections.jsonl')).toMatchObject([{ order_id: 'h-2', reason: 'unknown_user' }]);
});

test('a file broken beside a running consumer is warned about, left alone, and taken in when mended', async () => {
  const shop = await bookShop(10);
  const consumer = shop.host('consume');
  await consumer.says(/consuming/);
  const broken = 'item,quantity\nbook,ten\npen,50\n';
  shop.write('inventory.csv', broken);
  await leftAlone(shop, 'inventory.csv');
  await send(shop, 'b-1', 'alice', { book: 1 });
  await consumer.says(/accepted b-1/);
  await consumer.says(/warning: .*inventory\.csv:2/);
  expect(shop.read('inventory.csv')).toBe(broken);
  shop.write('inventory.csv', 'item,quantity\nbook,15\npen,50\n');
  await leftAlone(shop, 'inventory.csv');
  await send(shop, 'b-2', 'alice', { book: 1 });
  await consumer.says(/accepted b-2/);
  await waitFor('the merged stock', shop.stock, (stock) => stock.book === 13);
  await stop(consumer);
});
