import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { deadAddress } from '../../support/cluster.ts';
import { fill, openShop, type Shop } from '../../support/cli.ts';
import { runSteps, stepsOf } from '../../support/pages.ts';
import {
  confluentValue,
  createTopic,
  deleteTopic,
  jsonOrder,
  pens,
  sendRaw,
  setLevel,
  withAdmin,
} from '../../support/topics.ts';

/** docs/operations.md: each situation is made here, and the commands under its heading are run as they are written. */
const ROOT = path.resolve(import.meta.dirname, '../../..');
const SITUATIONS = stepsOf('docs/operations.md');

/** @returns what the commands under the heading printed, one after the other */
async function runSituation(shop: Shop, title: string): Promise<string> {
  const steps = SITUATIONS.get(title) ?? [];
  expect(steps.length, title).toBeGreaterThan(0);
  return runSteps(shop, steps);
}

/** A shop as in the document: `storage` in the folder it stands in, and one partition, so that places are known. */
async function shopWithOneOf(...topics: readonly ('orders' | 'dlq')[]): Promise<Shop> {
  const shop = openShop();
  fill(shop, { alice: 'paid', carol: 'paid', bob: 'unpaid' }, {});
  shop.write('inventory.csv', 'item,quantity,price\npen,50,\nbook,10,12.50\n');
  if (topics.includes('orders')) await createTopic(shop.topic, 1);
  if (topics.includes('dlq')) await createTopic(shop.dlqTopic, 1);
  return shop;
}

describe('docs/operations.md', () => {
  test('The lag grows', async () => {
    const shop = await shopWithOneOf('orders');
    await sendRaw(shop.topic, pens('a', 7));
    const said = await runSituation(shop, 'The lag grows');
    expect(said).toMatch(/accepted a-6/);
    expect(shop.stock()).toMatchObject({ pen: 43 });
  });

  test('A flood of bad records', async () => {
    const shop = await shopWithOneOf('orders', 'dlq');
    const unknown = confluentValue(2_000_000_000, { type: 'string' }, 'who knows');
    await sendRaw(shop.topic, [{ value: unknown }, { value: unknown }, { value: 'a test' }, ...pens('a', 1)]);
    await shop.ok('consume --until-end');
    const said = await runSituation(shop, 'A flood of bad records');
    expect(said).toMatch(/unknown_schema_id/);
    const [summary] = await shop.lines('consume --until-end');
    expect(summary).toMatchObject({ read: 2, dead_lettered: 2 });
  });

  test('A bad import is taken back', async () => {
    const shop = await shopWithOneOf('orders');
    const list = path.join(shop.folder, 'prices.csv');
    fs.writeFileSync(list, 'item,quantity,price\npen,50,\nbook,3,99.00\n');
    await shop.ok(`inventory import ${list}`);
    await sendRaw(shop.topic, [jsonOrder('w-1', 'carol', { book: 5 })]);
    await shop.ok('consume --until-end');
    expect(shop.jsonl('rejections.jsonl')).toHaveLength(1);
    await runSituation(shop, 'A bad import is taken back');
    expect(shop.jsonl('orders.jsonl')).toHaveLength(1);
    expect(shop.stock()).toMatchObject({ book: 5 });
    expect(shop.read('inventory.csv')).toMatch(/^book,5,12\.50$/m);
  });

  test('Go back to a backup', async () => {
    const shop = await shopWithOneOf('orders');
    await sendRaw(shop.topic, pens('a', 4));
    await shop.ok('consume --until-end');
    await shop.ok(`backup ${path.join(shop.folder, 'backups/yesterday')}`);
    await sendRaw(shop.topic, pens('b', 3));
    await shop.ok('consume --until-end');
    await shop.ok('inventory update pen --quantity 0');
    await runSituation(shop, 'Go back to a backup');
    expect(shop.stock()).toMatchObject({ pen: 43, book: 10 });
    expect(shop.jsonl('orders.jsonl')).toHaveLength(7);
  });

  test('The consumer will not start', async () => {
    const shop = await shopWithOneOf('orders', 'dlq');
    shop.write('inventory.csv', 'item,quantity\npen,many\n');
    await sendRaw(shop.topic, pens('a', 1));
    await runSituation(shop, 'The consumer will not start');
    expect(shop.stock()).toEqual({ pen: 49 });
  });

  test('Stock differs from the shelf', async () => {
    const shop = await shopWithOneOf('orders');
    await shop.ok('inventory update pen --quantity 60');
    await sendRaw(shop.topic, pens('a', 4));
    await shop.ok('consume --until-end');
    await runSituation(shop, 'Stock differs from the shelf');
    expect(shop.stock()).toMatchObject({ pen: 53 });
  });

  test('A producer sends nonsense', async () => {
    const shop = await shopWithOneOf('orders', 'dlq');
    await sendRaw(shop.topic, [
      jsonOrder('N-1', 'carol', { book: -1 }),
      { value: '{"order_id":"N-2","user":"carol","item":"book","quantity":"many"}' },
      ...pens('a', 1),
    ]);
    await shop.ok('consume --until-end');
    await runSituation(shop, 'A producer sends nonsense');
    expect(shop.stock()).toMatchObject({ pen: 49, book: 10 });
  });

  test('The disk is full', async () => {
    const shop = await shopWithOneOf('orders');
    await sendRaw(shop.topic, pens('a', 3));
    await runSituation(shop, 'The disk is full');
    expect(shop.stock()).toMatchObject({ pen: 47 });
  });

  test('The registry is gone', async () => {
    const shop = await shopWithOneOf('orders');
    const gone = { ...shop, env: { ...shop.env, ORDERCTL_REGISTRY: `http://${await deadAddress()}` } };
    const said = await runSituation(gone, 'The registry is gone');
    expect(said).toMatch(/registry/);
  });

  test('The consumer seems dead, and its folder is still owned', async () => {
    const shop = await shopWithOneOf('orders');
    const consumer = shop.start('consume');
    await sendRaw(shop.topic, pens('a', 1));
    await consumer.says(/accepted a-0/);
    consumer.signal('SIGSTOP');
    await runSituation(shop, 'The consumer seems dead, and its folder is still owned');
    expect((await consumer.exited).signal).toBe('SIGKILL');
    expect(shop.stock()).toMatchObject({ pen: 49 });
  });

  test("The group's offsets have expired", async () => {
    const shop = await shopWithOneOf('orders');
    await sendRaw(shop.topic, pens('a', 4));
    await shop.ok('consume --until-end');
    await withAdmin((admin) => admin.deleteGroups([shop.group]));
    await runSituation(shop, "The group's offsets have expired");
    const { partitions } = await shop.json('offsets show');
    expect(partitions).toMatchObject([{ committed: 4, stored: 4, lag: 0 }]);
  });

  test('The topic was created again', async () => {
    const shop = await shopWithOneOf('orders');
    await sendRaw(shop.topic, pens('a', 2));
    await shop.ok('consume --until-end');
    await deleteTopic(shop.topic);
    await createTopic(shop.topic, 1);
    await sendRaw(shop.topic, pens('b', 5));
    await runSituation(shop, 'The topic was created again');
    expect(shop.stock()).toMatchObject({ pen: 43 });
  });

  test('A schema is incompatible', async () => {
    const shop = await shopWithOneOf('orders');
    await shop.ok('schema register');
    await setLevel(`${shop.topic}-value`, 'BACKWARD');
    const schema = JSON.parse(fs.readFileSync(path.join(ROOT, 'docs/schemas/orders.avsc'), 'utf8')) as {
      fields: object[];
    };
    schema.fields.push({ name: 'channel', type: 'string' });
    fs.writeFileSync(path.join(shop.folder, 'order-v2.avsc'), JSON.stringify(schema));
    const said = await runSituation(shop, 'A schema is incompatible');
    expect(said).toMatch(/channel/);
  });

  test("One customer's orders must be sent again", async () => {
    const shop = await shopWithOneOf('orders');
    await sendRaw(shop.topic, [jsonOrder('c-1', 'carol', { book: 1 }), ...pens('a', 2)]);
    await shop.ok('consume --until-end');
    onTestFinished(() => withAdmin((admin) => admin.deleteTopics({ topics: ['orders-for-carol'] })));
    const before = shop.read('orders.jsonl');
    await runSituation(shop, "One customer's orders must be sent again");
    expect(shop.read('orders.jsonl')).toBe(before);
  });

  test('has no situation that is not tried here', () => {
    expect([...SITUATIONS.values()].filter((steps) => steps.length > 0)).toHaveLength(14);
  });
});
