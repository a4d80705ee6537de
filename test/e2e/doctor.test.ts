import os from 'node:os';
import { expect, test } from 'vitest';
import { failureOf, fill, openShop, penShop, type Json, type Result } from '../support/cli.ts';
import { deadAddress } from '../support/cluster.ts';
import { createTopic, deleteTopic, jsonOrder, pens, sendRaw } from '../support/topics.ts';

interface Finding {
  readonly name: string;
  readonly state: string;
  readonly message: string;
  readonly fix: string | null;
}

function documentOf(result: Result): Json & { readonly checks: readonly Finding[] } {
  return JSON.parse(result.stdout) as Json & { readonly checks: readonly Finding[] };
}

function statesOf(result: Result): Record<string, string> {
  return Object.fromEntries(documentOf(result).checks.map(({ name, state }) => [name, state]));
}

test('all is well: a line for each check, and 0', async () => {
  const shop = penShop();
  await shop.ok('produce --user alice --item pen --quantity 1');
  await shop.ok('consume --until-end');
  const json = await shop.ok('doctor -o json');
  const names = [
    'settings',
    'storage',
    'hand_edits',
    'owner',
    'disk',
    'broker',
    'versions',
    'topics',
    'positions',
    'group',
  ];
  // `npm test` writes into memory where it can, which is no place for a shop.
  const isOnDisk = !os.tmpdir().startsWith('/dev/shm');
  expect(statesOf(json), json.stdout).toEqual({
    ...Object.fromEntries([...names, 'clock', 'registry', 'schema'].map((name) => [name, 'ok'])),
    disk: isOnDisk ? 'ok' : 'warning',
  });
  expect(documentOf(json)).toMatchObject({ ok: isOnDisk, exit_code: 0 });
  const text = await shop.ok('doctor');
  expect(text.stdout).toMatch(/^ok {7}hand edits {2}no file/m);
  expect(text.stdout).toMatch(/^ok +broker +\S+: cluster \S+, 1 broker$/m);
});

test('what is not there yet is a warning with what to do, and still 0', async () => {
  const shop = openShop();
  fill(shop, { alice: 'paid' }, {});
  const json = await shop.ok('doctor -o json');
  expect(statesOf(json)).toMatchObject({ storage: 'warning', topics: 'warning', positions: 'skipped' });
  const storage = documentOf(json).checks.find(({ name }) => name === 'storage');
  expect(storage?.fix).toMatch(/^add one: orderctl inventory add/);
  expect(documentOf(json)).toMatchObject({ ok: false, exit_code: 0 });
});

test('a folder that is none is an error: 3, and no position is looked at', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  const result = await shop.run('doctor --storage nowhere -o json');
  expect(result.code, result.stderr).toBe(3);
  expect(statesOf(result)).toMatchObject({ storage: 'error', positions: 'skipped', group: 'skipped' });
  const storage = documentOf(result).checks.find(({ name }) => name === 'storage');
  expect(storage?.fix).toContain(`orderctl --storage ${shop.folder}/nowhere user add`);
});

test('nobody answers: 5, and what depends on them is skipped', async () => {
  const shop = penShop({
    ORDERCTL_BROKERS: await deadAddress(),
    ORDERCTL_REGISTRY: `http://${await deadAddress()}`,
  });
  const result = await shop.run('doctor -o json');
  expect(result.code, result.stderr).toBe(5);
  expect(statesOf(result)).toMatchObject({
    storage: 'ok',
    broker: 'error',
    topics: 'skipped',
    registry: 'error',
    schema: 'skipped',
  });
  expect(failureOf(result)).toMatchObject({ exit_code: 5 });
});

test('wrong data comes before anything else: 6, with the way out', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 5));
  await shop.ok('consume --until-end');
  await deleteTopic(shop.topic);
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, [jsonOrder('b-1', 'alice', { pen: 1 })]);
  const result = await shop.run('doctor -o json', {
    env: { ORDERCTL_REGISTRY: `http://${await deadAddress()}` },
  });
  expect(result.code, result.stderr).toBe(6);
  expect(statesOf(result)).toMatchObject({ positions: 'error', registry: 'error' });
  expect(failureOf(result)).toMatchObject({ code: 'offsets_gone', topic: shop.topic, partition: 0 });

  shop.write('users.csv', 'nonsense\n');
  const broken = await shop.run('doctor');
  expect(broken.code, broken.stderr).toBe(6);
  expect(broken.stdout).toMatch(/^error +storage .*users\.csv:1.*\n +fix: /m);
});

test('another topic or cluster under the same name is seen as consume sees it: 6', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 2));
  await shop.ok('consume --until-end');
  await deleteTopic(shop.topic);
  await createTopic(shop.topic, 1);
  // As many records as were read: by the offsets alone all is well.
  await sendRaw(shop.topic, pens('b', 3));
  const refused = await shop.run('consume --until-end -o json');
  expect(refused.code, refused.stderr).toBe(6);
  const result = await shop.run('doctor -o json');
  expect(result.code, result.stderr).toBe(6);
  expect(failureOf(result).message).toBe(failureOf(refused).message);
});

test("another folder's group is a conflict: 4", async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 1));
  await shop.ok('consume --until-end');
  const other = penShop({ ORDERCTL_TOPIC: shop.topic, ORDERCTL_GROUP: shop.group });
  const result = await other.run('doctor -o json');
  expect(result.code, result.stderr).toBe(4);
  expect(statesOf(result)).toMatchObject({ group: 'error' });
});
