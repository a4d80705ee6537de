import fs from 'node:fs';
import { expect, test } from 'vitest';
import { failureOf, penShop, type Shop } from '../support/cli.ts';
import { deadAddress } from '../support/cluster.ts';
import { silentServer } from '../support/silent-server.ts';
import { createTopic, jsonOrder, sendRaw } from '../support/topics.ts';

/** Runs these at once, since each waits; each in a folder of its own. */
async function allFail(shop: Shop, commands: readonly string[]) {
  return Promise.all(
    commands.map(async (args, i) => {
      const storage = `${shop.storage}-${i}`;
      fs.cpSync(shop.storage, storage, { recursive: true, filter: (file) => !file.includes('owner.') });
      const result = await shop.run(`${args} -o json`, {
        env: { ORDERCTL_STORAGE: storage },
        timeoutMs: 25_000,
      });
      expect(result.code, result.stderr).toBe(5);
      const failure = failureOf(result);
      expect(failure).toMatchObject({ code: 'broker_unreachable', exit_code: 5 });
      expect(failure.message).toContain(shop.env.ORDERCTL_BROKERS);
      // What else there is depends on the machine: test/unit/cli/hints.test.ts has the rest.
      expect(failure.fix).toMatch(/--brokers HOST:PORT/);
      return failure;
    }),
  );
}

test('consume and produce where every address refuses: 5 at once, with the ways to get a broker', async () => {
  const shop = penShop({ ORDERCTL_BROKERS: `${await deadAddress()},${await deadAddress()}` });
  const all = await allFail(shop, ['consume', 'consume --until-end', 'produce']);
  // How soon is measured by the benchmark of times. Those that wait say how long they have.
  for (const failure of all) expect(failure.message).toMatch(/^no broker answers at .*ECONNREFUSED/);
});

test('consume and produce where none answers: 5 within 10 s of the start', async () => {
  const shop = penShop({ ORDERCTL_BROKERS: `${await silentServer()},${await silentServer()}` });
  const all = await allFail(shop, ['consume', 'produce', 'produce --count 0']);
  // What is left of the 10 s is for the start.
  for (const failure of all) expect(failure.message).toContain('no answer within 9 s');
});

test('offsets without a broker: 5, and the folder is free', async () => {
  const shop = penShop({ ORDERCTL_BROKERS: await deadAddress() });
  await Promise.all(
    ['show', 'export', 'reset --to earliest --execute'].map(async (args) => {
      const result = await shop.run(`offsets ${args} -o json`, { timeoutMs: 25_000 });
      expect(result.code, result.stderr).toBe(5);
      expect(failureOf(result)).toMatchObject({ code: 'broker_unreachable' });
    }),
  );
});

test('replay without a broker: 5', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, [jsonOrder('a', 'alice', { pen: 1 })]);
  await shop.ok('consume --until-end');
  const result = await shop.run('replay', { env: { ORDERCTL_BROKERS: await deadAddress() } });
  expect(result.code, result.stderr).toBe(5);
});

test('produce without a registry: 5, and nothing was sent', async () => {
  const shop = penShop({ ORDERCTL_REGISTRY: `http://${await deadAddress()}` });
  const result = await shop.run('produce -o json');
  expect(result.code, result.stderr).toBe(5);
  expect(failureOf(result)).toMatchObject({ code: 'registry_unreachable' });
  expect(result.stdout).not.toMatch(/"sent",/);
});

test('files need neither', async () => {
  const dead = await deadAddress();
  const shop = penShop({ ORDERCTL_BROKERS: dead, ORDERCTL_REGISTRY: `http://${dead}` });
  expect(await shop.json('user show')).toMatchObject({ users: [{ user: 'alice' }] });
});

test('produce --source without a broker prints the failure alone: nothing was sent', async () => {
  const shop = penShop({ ORDERCTL_BROKERS: await deadAddress() });
  const result = await shop.run('produce --source store --item pen=1');
  expect(result).toMatchObject({ code: 5, stdout: '' });
});
