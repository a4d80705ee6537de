import { expect, test } from 'vitest';
import { failureOf, openShop, type Shop } from '../support/cli.ts';
import { deadAddress } from '../support/cluster.ts';
import { createTopic, jsonOrder, sendRaw } from '../support/topics.ts';

async function penShop(env: Record<string, string> = {}): Promise<Shop> {
  const shop = openShop(env);
  await shop.ok('user add --user alice --status paid');
  await shop.ok('inventory add --item pen --quantity 50');
  return shop;
}

test.each(['consume', 'consume --until-end', 'produce'])(
  '%s without a broker: 5 within 10 s',
  async (args) => {
    const shop = await penShop({ ORDERCTL_BROKERS: await deadAddress() });
    const startedAt = performance.now();
    const result = await shop.run(`${args} -o json`);
    expect(performance.now() - startedAt).toBeLessThan(13_000);
    expect(result.code, result.stderr).toBe(5);
    expect(failureOf(result)).toMatchObject({ code: 'broker_unreachable', exit_code: 5 });
    expect(failureOf(result).message).toContain(shop.env.ORDERCTL_BROKERS);
    // The ways to get one that this installation has.
    expect(failureOf(result).fix).toMatch(/npm .*run kafka/);
    expect(failureOf(result).fix).toMatch(/docker/);
  },
);

test('replay without a broker: 5', async () => {
  const shop = await penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, [jsonOrder('a', 'alice', { pen: 1 })]);
  await shop.ok('consume --until-end');
  const result = await shop.run('replay', { env: { ORDERCTL_BROKERS: await deadAddress() } });
  expect(result.code, result.stderr).toBe(5);
});

test('produce without a registry: 5, and nothing was sent', async () => {
  const shop = await penShop({ ORDERCTL_REGISTRY: `http://${await deadAddress()}` });
  const result = await shop.run('produce -o json');
  expect(result.code, result.stderr).toBe(5);
  expect(failureOf(result)).toMatchObject({ code: 'registry_unreachable' });
  expect(result.stdout).not.toMatch(/"sent",/);
});

test('files need neither', async () => {
  const dead = await deadAddress();
  const shop = await penShop({ ORDERCTL_BROKERS: dead, ORDERCTL_REGISTRY: `http://${dead}` });
  expect(await shop.json('user show')).toMatchObject({ users: [{ user: 'alice' }] });
});
