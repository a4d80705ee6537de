import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fill, finish, openShop, parseLines, type Shop } from '../support/cli.ts';
import { createTopic, jsonOrder, readTopic, sendRaw } from '../support/topics.ts';

async function penShop(): Promise<Shop> {
  const shop = openShop();
  fill(shop, { alice: 'paid' }, { pen: 1000 });
  await createTopic(shop.topic, 2);
  return shop;
}

test('an endless produce that is stopped is done: 0 with its summary', async () => {
  const shop = await penShop();
  const producer = shop.start('produce --count 0 --delay 0.05');
  await expect.poll(() => producer.stdout(), { timeout: 20_000 }).toMatch(/sent ORD-/);
  producer.signal('SIGINT');
  const { code, stdout, stderr } = await finish(producer, 'produce', 12_000);
  expect(code, stdout + stderr).toBe(0);
});

test('a finite produce and a replay that are stopped say how far they came: 130', async () => {
  const shop = await penShop();
  const producer = shop.start('produce --count 200 --delay 0.1 -o json');
  await expect
    .poll(() => parseLines(producer.stdout()).length, { timeout: 20_000 })
    .toBeGreaterThanOrEqual(3);
  producer.signal('SIGINT');
  const produced = await finish(producer, 'produce', 12_000);
  expect(produced.code, produced.stderr).toBe(130);
  const summary = parseLines(produced.stdout).at(-1);
  expect(summary).toMatchObject({ type: 'summary', interrupted: true });
  expect(await readTopic(shop.topic)).toHaveLength(summary?.sent ?? -1);

  await sendRaw(
    shop.topic,
    Array.from({ length: 50 }, (_, i) => jsonOrder(`r-${i}`, 'alice', { pen: 1 })),
  );
  await shop.ok('consume --until-end');
  const replay = shop.start('replay --delay 0.2 -o json');
  await expect.poll(() => parseLines(replay.stdout()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
  replay.signal('SIGTERM');
  const replayed = await finish(replay, 'replay', 12_000);
  expect(replayed.code, replayed.stderr).toBe(130);
  const end = parseLines(replayed.stdout).at(-1);
  expect(end).toMatchObject({ type: 'summary', command: 'replay', interrupted: true });
  expect(end?.resume_after).not.toBeNull();
});

test('a second Ctrl-C leaves at once, and that is safe', async () => {
  const shop = await penShop();
  await sendRaw(
    shop.topic,
    Array.from({ length: 500 }, (_, i) => jsonOrder(`s-${i}`, 'alice', { pen: 1 })),
  );
  const consumer = shop.start('consume');
  await consumer.says(/accepted s-/);
  consumer.signal('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 400));
  consumer.signal('SIGINT');
  await finish(consumer, 'consume', 12_000);
  await shop.ok('consume --until-end');
  const ids = shop.jsonl('orders.jsonl').map((order) => order.order_id);
  expect(new Set(ids).size).toBe(500);
  expect(ids).toHaveLength(500);
  expect(shop.stock()).toEqual({ pen: 500 });
});

test('a closed pipe ends quietly', async () => {
  const shop = await penShop();
  const binary = path.resolve(import.meta.dirname, '../../bin/orderctl');
  const { stderr, stdout } = spawnSync(
    'bash',
    ['-c', `"$0" "$1" produce --count 300 -o json | head -n 1`, process.execPath, binary],
    { encoding: 'utf8', env: { PATH: process.env.PATH, ...shop.env }, cwd: shop.folder },
  );
  expect(stdout.split('\n')).toHaveLength(2);
  expect(stderr).not.toMatch(/EPIPE|Error|at /);
});

test('a dead letter as large as the topic allows still fits the DLQ with its headers', async () => {
  const shop = await penShop();
  // Kafka's default max.message.bytes is 1048588, the batch's own 70 bytes and more included.
  const large = `garbage ${'x'.repeat(1_048_400)}`;
  await sendRaw(shop.topic, [{ key: 'large', value: large }]);
  await sendRaw(shop.topic, [jsonOrder('a', 'alice', { pen: 1 })]);
  const [summary] = await shop.lines('consume --until-end');
  expect(summary).toMatchObject({ read: 2, dead_lettered: 1, accepted: 1 });
  const letters = await readTopic(shop.dlqTopic);
  expect(letters.map((letter) => letter.value?.length)).toEqual([large.length]);
});
