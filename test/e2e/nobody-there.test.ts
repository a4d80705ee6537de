import fs from 'node:fs';
import { expect, test } from 'vitest';
import { failureOf, penShop } from '../support/cli.ts';
import { deadAddress } from '../support/cluster.ts';
import { createTopic, jsonOrder, sendRaw } from '../support/topics.ts';

test('consume and produce without a broker: 5 within 10 s, with the ways to get one', async () => {
  const shop = await penShop({ ORDERCTL_BROKERS: await deadAddress() });
  // Together, because each waits; so each of its own folder.
  await Promise.all(
    ['consume', 'consume --until-end', 'produce'].map(async (args, i) => {
      const storage = `${shop.storage}-${i}`;
      fs.cpSync(shop.storage, storage, { recursive: true, filter: (file) => !file.includes('owner.') });
      const result = await shop.run(`${args} -o json`, {
        env: { ORDERCTL_STORAGE: storage },
        timeoutMs: 25_000,
      });
      expect(result.code, result.stderr).toBe(5);
      expect(failureOf(result)).toMatchObject({ code: 'broker_unreachable', exit_code: 5 });
      expect(failureOf(result).message).toContain(shop.env.ORDERCTL_BROKERS);
      // What else there is depends on the machine: test/unit/cli/hints.test.ts has the rest.
      expect(failureOf(result).fix).toMatch(/--brokers HOST:PORT/);
    }),
  );
});

test('offsets without a broker: 5, and the folder is free', async () => {
  const shop = await penShop({ ORDERCTL_BROKERS: await deadAddress() });
  await Promise.all(
    ['show', 'export', 'reset --to earliest --execute'].map(async (args) => {
      const result = await shop.run(`offsets ${args} -o json`, { timeoutMs: 25_000 });
      expect(result.code, result.stderr).toBe(5);
      expect(failureOf(result)).toMatchObject({ code: 'broker_unreachable' });
    }),
  );
});

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
