import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openShop, type Shop } from '../support/cli.ts';
import { createTopic, jsonOrder, openSender, sendRaw } from '../support/topics.ts';

const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);

/** mulberry32: https://github.com/bryc/code/blob/master/jshash/PRNGs.md */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function idsOf(shop: Shop): string[] {
  return [...shop.jsonl('orders.jsonl'), ...shop.jsonl('rejections.jsonl')].map((order) => order.order_id);
}

describe(`kill -9 in full flow (ORDERCTL_TEST_SEED=${seed})`, () => {
  test('ends with stock = start + edits - sold, and each id decided once', { timeout: 150_000 }, async () => {
    const random = randomFrom(seed);
    const shop = openShop();
    const items = ['book', 'pen', 'notebook'];
    await shop.ok('user add --user alice --status paid');
    await shop.ok('user add --user bob --status unpaid');
    for (const item of items) await shop.ok(`inventory add --item ${item} --quantity 5000`);
    await createTopic(shop.topic, 6);

    const sent: string[] = [];
    const sender = await openSender(shop.topic);
    /** A chunk of the flow; every twentieth order comes twice, and the second must be a duplicate. */
    const sendChunk = async (): Promise<void> => {
      const orders = Array.from({ length: 100 }, (_, i) => {
        const n = sent.length + i - (i % 20 === 1 ? 1 : 0);
        return jsonOrder(`o-${n}`, n % 10 > 7 ? 'bob' : 'alice', { [items[n % 3] ?? '']: 1 });
      });
      await sender.send(orders);
      for (const { key } of orders) sent.push(String(key));
    };

    let added = 0;
    let killedInFlow = 0;
    for (let round = 0; round < 6; round += 1) {
      const consumer = shop.start('consume');
      await consumer.says(/consuming/);
      const killed = new AbortController();
      const flow = (async () => {
        while (!killed.signal.aborted) await sendChunk();
      })();
      await sleep(random() * 1_000);
      if (random() < 0.5) {
        await shop.ok('inventory update --item book --by +10');
        added += 10;
      }
      consumer.signal('SIGKILL');
      const { signal } = await consumer.exited;
      if (signal === 'SIGKILL') killedInFlow += 1;
      killed.abort();
      await flow;
    }
    await sender.close();
    expect(killedInFlow).toBe(6);

    const [summary] = await shop.lines('consume --until-end');
    expect(summary).toMatchObject({ stopped_by: 'end', conflicts: 0, dead_lettered: 0 });
    const ids = idsOf(shop);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids)).toEqual(new Set(sent));
    const sold: Record<string, number> = { book: 0, pen: 0, notebook: 0 };
    for (const order of shop.jsonl('orders.jsonl')) {
      for (const { item, quantity } of order.items) sold[item] = (sold[item] ?? 0) + quantity;
    }
    expect(shop.stock()).toEqual({
      book: 5000 + added - (sold.book ?? 0),
      pen: 5000 - (sold.pen ?? 0),
      notebook: 5000 - (sold.notebook ?? 0),
    });
    for (const quantity of Object.values(shop.stock())) expect(quantity).toBeGreaterThanOrEqual(0);

    // And reading all of it again finds nothing new.
    const before = shop.read('orders.jsonl');
    const [again] = await shop.lines('consume --reset --until-end');
    const read = sent.length;
    expect(again).toMatchObject({ accepted: 0, rejected: 0, conflicts: 0, read, duplicates: read });
    expect(shop.read('orders.jsonl')).toBe(before);
  });
});

test('a consumer goes on at once after kill -9: our ghost does not hold the group', async () => {
  const shop = openShop();
  await shop.ok('user add --user alice --status paid');
  await shop.ok('inventory add --item pen --quantity 50');
  await createTopic(shop.topic, 2);
  await sendRaw(shop.topic, [jsonOrder('g-1', 'alice', { pen: 1 })]);
  const consumer = shop.start('consume');
  await consumer.says(/accepted g-1/);
  consumer.signal('SIGKILL');
  await consumer.exited;

  await sendRaw(shop.topic, [jsonOrder('g-2', 'alice', { pen: 1 })]);
  const startedAt = performance.now();
  const { stdout, stderr } = await shop.ok('consume --until-end -o json');
  const seconds = (performance.now() - startedAt) / 1_000;
  expect(JSON.parse(stdout)).toMatchObject({ read: 1, accepted: 1 });
  expect(seconds, stderr).toBeLessThan(3);
  expect(shop.stock()).toEqual({ pen: 48 });
});

/** A folder whose consumer was killed: its journal holds what the checkpoint does not. */
async function killedShop(): Promise<Shop> {
  const shop = openShop();
  await shop.ok('user add --user alice --status paid');
  await shop.ok('inventory add --item pen --quantity 50');
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, [jsonOrder('j-1', 'alice', { pen: 1 })]);
  const consumer = shop.start('consume');
  await consumer.says(/accepted j-1/);
  await sendRaw(shop.topic, [jsonOrder('j-2', 'alice', { pen: 1 })]);
  await consumer.says(/accepted j-2/);
  consumer.signal('SIGKILL');
  await consumer.exited;
  return shop;
}

function journalOf(shop: Shop): string {
  const folder = path.join(shop.storage, '.orderctl');
  const journals = fs.readdirSync(folder).filter((file) => /^journal\.\d+$/.test(file));
  const last = journals.sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1])).at(-1);
  if (last === undefined) throw new Error('no journal');
  return path.join(folder, last);
}

test('a journal cut off in its last record is what a crash leaves: the rest counts, the cut order comes again', async () => {
  const shop = await killedShop();
  const journal = journalOf(shop);
  fs.truncateSync(journal, fs.statSync(journal).size - 3);
  await shop.ok('consume --until-end');
  expect(shop.jsonl('orders.jsonl').map((order) => order.order_id)).toEqual(['j-1', 'j-2']);
  expect(shop.stock()).toEqual({ pen: 48 });
});

test('a journal with a flipped byte before its end is refused, and nothing is written', async () => {
  const shop = await killedShop();
  const journal = journalOf(shop);
  const bytes = fs.readFileSync(journal);
  // Within the first order: a valid record follows it.
  const at = bytes.indexOf('"j-1"');
  expect(at).toBeGreaterThan(0);
  bytes[at + 1] = (bytes[at + 1] ?? 0) ^ 0x01;
  fs.writeFileSync(journal, bytes);
  const orders = shop.read('orders.jsonl');
  const result = await shop.run('consume --until-end');
  expect(result.code, result.stderr).toBe(6);
  expect(result.stderr).toMatch(/journal/);
  expect(result.stderr).toMatch(/fix:/);
  expect((await shop.run('user add --user dave --status paid')).code).toBe(6);
  expect(shop.read('orders.jsonl')).toBe(orders);
  expect(fs.readFileSync(journal).equals(bytes)).toBe(true);
});

test('a log that was shortened or changed, or a missing .orderctl, stops every command that writes', async () => {
  const shop = openShop();
  await shop.ok('user add --user alice --status paid');
  await shop.ok('inventory add --item pen --quantity 50');
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, [jsonOrder('l-1', 'alice', { pen: 1 }), jsonOrder('l-2', 'alice', { pen: 2 })]);
  await shop.ok('consume --until-end');
  const whole = shop.read('orders.jsonl');

  for (const [what, text] of [
    ['shortened', whole.slice(0, whole.indexOf('\n') + 1)],
    ['changed', whole.replace('"quantity":2', '"quantity":1')],
  ] as const) {
    shop.write('orders.jsonl', text);
    const result = await shop.run('consume --until-end');
    expect(result.code, `${what}: ${result.stderr}`).toBe(6);
    expect(result.stderr).toMatch(/orders\.jsonl/);
    expect(result.stderr).toMatch(/fix:/);
    expect((await shop.run('inventory update --item pen --by +1')).code, what).toBe(6);
    expect(shop.read('orders.jsonl')).toBe(text);
  }

  shop.write('orders.jsonl', whole);
  fs.renameSync(path.join(shop.storage, '.orderctl'), path.join(shop.folder, 'aside'));
  const missing = await shop.run('consume --until-end');
  expect(missing.code, missing.stderr).toBe(6);
  expect(missing.stderr).toMatch(/\.orderctl/);
  fs.rmSync(path.join(shop.storage, '.orderctl'), { recursive: true, force: true });
  fs.renameSync(path.join(shop.folder, 'aside'), path.join(shop.storage, '.orderctl'));
  await shop.ok('consume --until-end');
  expect(shop.read('orders.jsonl')).toBe(whole);
});

test('the CSVs are views: deleted with nobody looking, they are refused or rebuilt, never silently empty', async () => {
  const shop = await killedShop();
  fs.rmSync(path.join(shop.storage, 'inventory.csv'));
  const result = await shop.run('inventory show -o json');
  if (result.code === 0) {
    expect(JSON.parse(result.stdout)).toMatchObject({ items: [{ item: 'pen', quantity: 48 }] });
  } else {
    expect(result.code).toBe(6);
    expect(result.stderr).toMatch(/inventory\.csv/);
  }
});
