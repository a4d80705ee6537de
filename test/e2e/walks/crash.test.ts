import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { failureOf, fill, openShop, penShop, type Shop } from '../../support/cli.ts';
import { tries } from '../../support/effort.ts';
import { killLoop } from '../../support/kill-loop.ts';
import { randomFrom } from '../../support/random.ts';
import { createTopic, jsonOrder, sendRaw } from '../../support/topics.ts';

const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);

test(
  `kill -9 in full flow ends with stock = start + edits - sold, and each id decided once (ORDERCTL_TEST_SEED=${seed})`,
  { timeout: 150_000 },
  async () => {
    await killLoop(openShop(), tries(6, 3), randomFrom(seed));
  },
);

test('a consumer goes on at once after kill -9: our ghost does not hold the group', async () => {
  const shop = openShop();
  fill(shop, { alice: 'paid' }, { pen: 50 });
  await createTopic(shop.topic, 2);
  await sendRaw(shop.topic, [jsonOrder('g-1', 'alice', { pen: 1 })]);
  const consumer = shop.start('consume');
  await consumer.says(/accepted g-1/);
  consumer.signal('SIGKILL');
  await consumer.exited;

  await sendRaw(shop.topic, [jsonOrder('g-2', 'alice', { pen: 1 })]);
  const { stdout, stderr } = await shop.ok('consume --until-end -o json');
  expect(JSON.parse(stdout)).toMatchObject({ read: 1, accepted: 1 });
  // It is made to leave: nobody waits for its session to end.
  expect(stderr).toMatch(/removed from group .* a member that this folder left behind/);
  expect(shop.stock()).toEqual({ pen: 48 });
});

/** A folder whose consumer was killed: its journal holds what the checkpoint does not. */
async function killedShop(): Promise<Shop> {
  const shop = openShop();
  fill(shop, { alice: 'paid' }, { pen: 50 });
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
  fill(shop, { alice: 'paid' }, { pen: 50 });
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

test('a paused owner is never robbed: who wants its folder is refused, and it goes on where it was', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  const consumer = shop.start('consume');
  await consumer.says(/consuming/);
  await sendRaw(shop.topic, [jsonOrder('p-1', 'alice', { pen: 1 })]);
  await consumer.says(/accepted p-1/);
  consumer.signal('SIGSTOP');

  const second = await shop.run('consume --until-end -o json');
  expect(second.code, second.stderr).toBe(4);
  expect(failureOf(second)).toMatchObject({ code: 'folder_in_use' });
  expect(second.stderr).toContain(String(consumer.pid));
  const edit = await shop.run('inventory update --item pen --by +10 -o json');
  expect(edit.code, edit.stderr).toBe(5);
  expect(failureOf(edit)).toMatchObject({ code: 'owner_unreachable' });
  // A command that only reads needs no owner.
  expect(await shop.json('inventory show')).toMatchObject({ items: [{ item: 'pen', quantity: 49 }] });

  consumer.signal('SIGCONT');
  await sendRaw(shop.topic, [jsonOrder('p-2', 'alice', { pen: 1 })]);
  await consumer.says(/accepted p-2/);
});
