import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openShop, type Json, type Shop } from '../../support/cli.ts';
import { onTerminal } from '../../support/terminal.ts';
import { createTopic, jsonOrder, sendRaw } from '../../support/topics.ts';
import { waitFor } from '../../support/wait.ts';

/** What a newcomer sets out to do, one task after the other on one shop, at 80×24 where something is looked at. */

const number = (i: number): string => String(i).padStart(3, '0');
const statusOf = (i: number): string => (i % 4 === 0 ? 'Unpaid' : 'PAID');
const stockOf = (i: number): number => 50 + i;

/** As spreadsheets export: a byte order mark, semicolons, decimal commas, CRLF, titles of their own case. */
function exported(title: string, count: number, row: (i: number) => string): string {
  const rows = Array.from({ length: count }, (_, i) => row(i));
  return `\uFEFF${[title, ...rows].join('\r\n')}\r\n`;
}

/** What stands on the screen: no line is broken by it, and no word. */
async function screen(shop: Shop, args: string): Promise<string> {
  if (process.platform !== 'linux') return (await shop.ok(args)).stdout;
  const { text } = await onTerminal(shop, args);
  const tooLong = text.split('\n').filter((line) => line.length > 80 && !line.includes('orderctl '));
  expect(tooLong, args).toEqual([]);
  return text;
}

async function quantityOf(shop: Shop, item: string): Promise<number> {
  const { items } = await shop.json(`inventory show ${item}`);
  return items[0]?.quantity ?? Number.NaN;
}

async function importLists(shop: Shop): Promise<void> {
  const [users, stock] = ['users-export.csv', 'stock-export.csv'].map((name) => path.join(shop.folder, name));
  fs.writeFileSync(
    users ?? '',
    exported('User;Status;City', 200, (i) => `u${number(i)};${statusOf(i)};"Köln; Mitte"`),
  );
  fs.writeFileSync(
    stock ?? '',
    exported('Item;Quantity;Price', 500, (i) => `sku-${number(i)};${stockOf(i)};12,50`),
  );
  expect(await shop.json(`user import ${users} --dry-run`)).toMatchObject({ added: 200 });
  expect(await shop.json(`user import ${users}`)).toMatchObject({ added: 200 });
  expect(await shop.json(`inventory import ${stock}`)).toMatchObject({ added: 500 });
  expect((await shop.json('inventory show sku-007')).items).toMatchObject([{ quantity: 57, price: '12.50' }]);
}

async function findOutAndFulfil(shop: Shop): Promise<void> {
  await shop.ok('produce --user u000 --item sku-001=2 --order-id WEB-1');
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({ read: 1, rejected: 1 });
  expect(await screen(shop, 'order list')).toMatch(/WEB-1 +u000 +sku-001×2 +user_not_paid/);
  const why = await screen(shop, 'order explain WEB-1');
  expect(why).toContain('user u000 is unpaid');
  expect(why).toContain('orderctl user update --user u000 --status paid');
  await shop.ok('user update --user u000 --status paid');
  // Sent twice by mistake: it is fulfilled once.
  await shop.ok('replay --rejected --order WEB-1 --as-new');
  await shop.ok('replay --rejected --order WEB-1 --as-new');
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({ accepted: 1, duplicates: 1 });
  expect(await screen(shop, 'order explain WEB-1')).toContain('accepted as WEB-1.r1');
  expect((await shop.run('replay --rejected --order WEB-1 --as-new')).code).toBe(4);
  expect(await quantityOf(shop, 'sku-001')).toBe(stockOf(1) - 2);
}

async function newPrices(shop: Shop): Promise<void> {
  const prices = path.join(shop.folder, 'prices.csv');
  fs.writeFileSync(
    prices,
    exported('item,price', 500, (i) => `sku-${number(i)},9.90`),
  );
  expect(await shop.json(`inventory import ${prices}`)).toMatchObject({ added: 0, changed: 500, removed: 0 });
  expect((await shop.json('inventory show sku-001')).items).toMatchObject([
    { price: '9.90', quantity: stockOf(1) - 2 },
  ]);
}

async function watchLive(shop: Shop): Promise<void> {
  const produce = shop.start('produce --count 0 --rate 200');
  // As the unit of systemd runs it.
  const consume = shop.start('consume --log-level info');
  const read = async (): Promise<number> => {
    const { code, stdout } = await shop.run('status -o json');
    return code === 0 ? (JSON.parse(stdout) as { counts: Json }).counts.read : 0;
  };
  await waitFor('three hundred orders', read, (count) => count >= 300);
  const looked = await screen(shop, 'status');
  expect(looked.split('\n').length).toBeLessThanOrEqual(24);
  expect(looked).toMatch(/^rate +[\d.,]+ orders\/s$/m);
  produce.signal('SIGINT');
  expect((await produce.exited).code).toBe(0);
  consume.signal('SIGTERM');
  expect((await consume.exited).code).toBe(0);
  await shop.ok('consume --until-end');
}

async function correctStock(shop: Shop): Promise<void> {
  const before = await quantityOf(shop, 'sku-499');
  await shop.ok(['inventory', 'update', 'sku-499', '--by', '-3', '--why', 'three were broken']);
  expect(await quantityOf(shop, 'sku-499')).toBe(before - 3);
  expect(await screen(shop, 'inventory log sku-499')).toMatch(
    // The reason is whole, on as many lines as it needs.
    new RegExp(String.raw`quantity ${before} → ${before - 3} [^]*three\s+were\s+broken`),
  );
}

async function acceptedOf(shop: Shop, when: string): Promise<string[]> {
  const { stdout } = await shop.ok(`order list --status accepted ${when} -o csv`);
  const [title, ...rows] = stdout.trimEnd().split('\n');
  expect(title).toMatch(/^order_id,status,/);
  return rows;
}

/** @returns where it goes on */
async function moveAway(shop: Shop): Promise<Shop> {
  const [copy, moved] = ['moving', 'moved'].map((name) => path.join(shop.folder, name)) as [string, string];
  const before = await shop.json('inventory show');
  await shop.ok(`backup ${copy}`);
  await shop.ok(`restore ${copy} --storage ${moved}`);
  const env = { ...shop.env, ORDERCTL_STORAGE: moved };
  const there = { ...shop, env, run: (args, options) => shop.run(args, { ...options, env }) } as Shop;
  const show = await there.run('inventory show -o json');
  expect(JSON.parse(show.stdout)).toEqual(before);
  expect((await there.run('consume --until-end')).stdout).toMatch(/^read 0 records/);
  const audit = await there.run('audit');
  expect(audit.code, audit.stdout + audit.stderr).toBe(0);
  return there;
}

async function backToYesterday(shop: Shop): Promise<void> {
  const at = (name: string): string => path.join(shop.folder, name);
  const storage = shop.env.ORDERCTL_STORAGE ?? '';
  const run = async (args: string): Promise<string> => {
    const { code, stdout, stderr } = await shop.run(args);
    expect(code, `${args}: ${stderr}`).toBe(0);
    return stdout;
  };
  await run(`backup ${at('yesterday')}`);
  fs.writeFileSync(at('wrong.csv'), 'item,quantity\nsku-498,0\n');
  const replaced = await shop.run(`inventory import ${at('wrong.csv')} --replace`);
  expect(replaced.code).toBe(0);
  expect(replaced.stderr).toContain('to undo this: orderctl inventory undo');
  await sendRaw(shop.topic, [jsonOrder('AFTER-1', 'u001', { 'sku-497': 1 })]);
  expect(await run('consume --until-end')).toMatch(/1 rejected/);
  fs.renameSync(storage, at('before'));
  await run(`restore ${at('yesterday')}`);
  // What came after the backup is read again, and decided on its stock.
  expect(await run('consume --until-end')).toMatch(/^read 1 record: 1 accepted/);
  await run('audit');
}

test('the first day of a newcomer', { timeout: 180_000 }, async () => {
  const shop = openShop();
  await createTopic(shop.topic, 6);
  await importLists(shop);
  await findOutAndFulfil(shop);
  await sendRaw(shop.topic, [jsonOrder('PY-1', 'u001', { 'sku-002': 1, 'sku-003': 2 })]);
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({ read: 1, accepted: 1 });
  await newPrices(shop);
  await watchLive(shop);
  await correctStock(shop);
  await shop.ok('audit');
  const days = [
    ...(await acceptedOf(shop, '--since yesterday --until today')),
    ...(await acceptedOf(shop, '--since today')),
  ];
  expect(days).toHaveLength(shop.jsonl('orders.jsonl').length);
  await backToYesterday(await moveAway(shop));
});
