import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { failureOf, openShop, penShop, type Json } from '../support/cli.ts';
import { closedPort } from '../support/closed-port.ts';
import { expectValidated } from '../support/documents.ts';
import { registerSchema, setLevel, testRegistry } from '../support/topics.ts';

async function subjects(topic: string): Promise<string[]> {
  const all = (await (await fetch(`${testRegistry()}/subjects`)).json()) as string[];
  return all.filter((subject) => subject.startsWith(topic));
}

describe('setup', () => {
  test('plans folder, topics and schemas, makes them once, and a run that may create nothing is content', async () => {
    // Names of its own: other tests make the topics of the usual ones.
    const [events, alerts] = [`events-${randomUUID()}`, `alerts-${randomUUID()}`];
    const shop = openShop({ ORDERCTL_TOPICS: `inventory-events=${events},alerts=${alerts}` });
    const plan = await shop.ok('setup orders');
    expect(plan.stdout.split('\n').map((line) => line.split(': ')[0])).toEqual([
      `create ${shop.storage}`,
      ...[shop.topic, shop.dlqTopic, events, alerts].map((topic) => `create ${topic}`),
      `register the order schema under ${shop.topic}-value`,
      `register the schema of inventory-events under ${events}-value`,
      `register the schema of alerts under ${alerts}-value`,
      'nothing changed; add --execute',
      '',
    ]);
    expect(existsSync(shop.storage)).toBe(false);
    expect(await subjects(shop.topic)).toEqual([]);
    expect(await shop.json('setup orders')).toMatchObject({
      executed: false,
      actions: [{ done: false }, {}, {}, {}, {}, {}, {}, {}],
    });

    const done = await shop.json('setup orders --execute');
    expect((done.actions as Json[]).map(({ action, done: isDone }) => [action, isDone])).toEqual([
      ['create_store', true],
      ...Array.from({ length: 4 }, () => ['create', true]),
      ...Array.from({ length: 3 }, () => ['register_schema', true]),
    ]);
    expectValidated('setup');
    expect(await subjects(shop.topic)).toEqual([`${shop.topic}-value`]);
    expect(await shop.json('user show')).toEqual({ users: [] });
    expect((await shop.ok('setup orders --execute')).stdout).toBe(
      'everything exists: folder, topics and schemas\n',
    );

    await shop.ok('user add alice --status paid');
    await shop.ok('inventory add book --quantity 5');
    await shop.ok('produce --no-create --no-register --user alice --item book --quantity 2');
    await shop.ok('consume --no-create --until-end');
    expect(await shop.json('inventory show book')).toMatchObject({ items: [{ quantity: 3 }] });
    expect((await shop.ok('setup orders')).stdout).toBe('everything exists: folder, topics and schemas\n');
  });

  test('does nothing at all where the registry would not take a schema', async () => {
    const shop = openShop();
    await registerSchema(`${shop.topic}-value`, {
      type: 'record',
      name: 'Order',
      namespace: 'orderctl',
      fields: [{ name: 'order_id', type: 'int' }],
    });
    await setLevel(`${shop.topic}-value`, 'BACKWARD');
    const refused = await shop.run('setup orders --execute -o json');
    expect(failureOf(refused)).toMatchObject({ code: 'incompatible_schema' });
    expect(refused.code).toBe(6);
    expect(existsSync(shop.storage)).toBe(false);
    expect(await shop.json('topics show')).toMatchObject({ topics: [{ exists: false }, { exists: false }] });
  });

  test('says who does not answer, before anything is made', async () => {
    const shop = penShop();
    const broker = await shop.run(`setup --execute --brokers 127.0.0.1:${await closedPort()}`);
    expect(broker.code).toBe(5);
    const registry = await shop.run(`setup --execute --registry http://127.0.0.1:${await closedPort()}`);
    expect(registry.code).toBe(5);
    expect((await shop.run('setup nobody')).code).toBe(2);
    expect(await shop.json('topics show')).toMatchObject({ topics: [{ exists: false }, { exists: false }] });
  });
});
