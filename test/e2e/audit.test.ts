import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { failureOf, penShop } from '../support/cli.ts';
import { createTopic, deleteRecordsBefore, jsonOrder, pens, sendRaw } from '../support/topics.ts';

/** Its number in the history. */
function lastDecision(storage: string): number {
  const lines = ['orders.jsonl', 'rejections.jsonl'].flatMap((name) =>
    fs.readFileSync(path.join(storage, name), 'utf8').trim().split('\n'),
  );
  return Math.max(...lines.map((line) => (JSON.parse(line) as { seq: number }).seq));
}

test('every record below the stored positions is accounted for, beside a running consumer too', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 2);
  await sendRaw(shop.topic, [
    ...pens('a', 4).map((order) => ({ ...order, partition: 0 })),
    { ...jsonOrder('a-1', 'alice', { pen: 1 }), partition: 0 },
    { ...jsonOrder('a-1', 'alice', { pen: 7 }), partition: 0 },
    { ...jsonOrder('b-1', 'mallory', { pen: 1 }), partition: 1 },
    { key: 'x', value: 'no order', partition: 1 },
  ]);
  const consumer = shop.start('consume');
  await consumer.says(/dead-lettered/);
  await consumer.says(/conflicts/);
  const whole = {
    ok: true,
    skips: [],
    checked: { items: 1, orders: 4, rejections: 1, records: 8 },
    records: { deciding: 5, duplicates: 1, conflicts: 1, dead_letters: 1, skipped: 0 },
  };
  expect(await shop.json('audit --with-topic')).toMatchObject(whole);
  const refused = await shop.run('audit --repair -o json');
  expect(refused.code).toBe(4);
  expect(failureOf(refused)).toMatchObject({ code: 'folder_in_use' });
  consumer.signal('SIGKILL');
  await consumer.exited;
  expect(await shop.json('audit --with-topic')).toMatchObject(whole);

  await sendRaw(shop.topic, [{ ...jsonOrder('c-1', 'alice', { pen: 1 }), partition: 0 }]);
  await shop.ok('offsets reset --to latest --execute');
  const skipped = await shop.json('audit --with-topic');
  expect(skipped).toMatchObject({
    ok: true,
    records: { deciding: 5, skipped: 1 },
    skips: [{ topic: shop.topic, partition: 0, from: 6, to: 7, cause: 'reset' }],
  });
  const seq = lastDecision(shop.storage);
  const past = { ok: true, as_of: { seq }, checked: { orders: 4, records: null }, skips: [] };
  expect(await shop.json(`audit --at ${seq}`)).toMatchObject(past);
  const excluded = await shop.run(`audit --at ${seq} --with-topic`);
  expect([excluded.code, excluded.stderr]).toEqual([
    2,
    expect.stringContaining('--at excludes --with-topic'),
  ]);
  // Whether it was deleted before is not known here, so nothing is said of a loss.
  expect((await shop.ok('audit')).stdout).toMatch(
    /^skipped: \S+\/0 from 6 to 6, by a reset at \S+: not read$/m,
  );

  await deleteRecordsBefore(shop.topic, 2);
  const deleted = await shop.json('audit --with-topic');
  expect(deleted).toMatchObject({
    ok: true,
    checked: { records: 7 },
    notes: [{ kind: 'records_deleted', where: `${shop.topic}/0@2` }],
  });
});

test('a record that was read and is nowhere is a difference', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, [...pens('a', 2), { value: 'no order' }]);
  await shop.ok('consume --until-end');
  // Among the dead letters of another topic there is none of it.
  const elsewhere = await shop.run([
    'audit',
    '--with-topic',
    '--dlq-topic',
    `${shop.topic}.other`,
    '-o',
    'json',
  ]);
  expect(elsewhere.code).toBe(6);
  expect(JSON.parse(elsewhere.stdout)).toMatchObject({
    differences: [{ kind: 'dead_letter_missing', where: `${shop.topic}/0@2` }],
  });
  const missing = await shop.run(['audit', '--with-topic', '--topic', `${shop.topic}-none`]);
  expect(missing.code).toBe(3);
});
