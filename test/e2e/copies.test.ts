import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { failureOf, finish, penShop, type Shop } from '../support/cli.ts';
import { createTopic, pens, sendRaw } from '../support/topics.ts';

/** Calls with the folder as it is now, copied as `cp -a` does it. */
function copyOf(shop: Shop, name: string): { env: Record<string, string>; storage: string } {
  const storage = path.join(shop.folder, name);
  fs.mkdirSync(path.join(storage, '.orderctl'), { recursive: true });
  for (const folder of ['', '.orderctl']) {
    for (const entry of fs.readdirSync(path.join(shop.storage, folder), { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const at = path.join(folder, entry.name);
      fs.copyFileSync(path.join(shop.storage, at), path.join(storage, at));
    }
  }
  return { env: { ORDERCTL_STORAGE: storage }, storage };
}

const decided = (storage: string) =>
  fs
    .readFileSync(path.join(storage, 'orders.jsonl'), 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : (JSON.parse(line) as { order_id: string }).order_id));

test('a copy of a folder does not disturb its living consumer, decides nothing, and gets an id of its own', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 2);
  await sendRaw(shop.topic, pens('a', 2));
  const consumer = shop.start('consume -o json');
  await consumer.says(/accepted a-1/);
  const copy = copyOf(shop, 'copy');
  await sendRaw(shop.topic, pens('b', 2));
  await consumer.says(/accepted b-1/);

  for (const args of ['consume --until-end', 'offsets reset --to earliest --execute']) {
    const refused = await shop.run(`${args} -o json`, copy);
    expect(refused.code, refused.stderr).toBe(4);
    expect(failureOf(refused)).toMatchObject({ code: 'group_in_use' });
    expect(failureOf(refused).message).toContain('copy');
    expect(failureOf(refused).fix).toContain('orderctl consume --new-id --group NAME');
    expect(refused.stderr).not.toContain('removed from group');
  }
  expect(decided(copy.storage)).toEqual(['a-0', 'a-1']);
  await sendRaw(shop.topic, pens('c', 1));
  await consumer.says(/accepted c-0/);
  expect(consumer.stderr()).not.toMatch(/warning|error/);

  // With an id and a group of its own it goes on from where it was copied.
  const own = await shop.ok(`consume --until-end --new-id --group ${shop.group}-2 -o json`, copy);
  expect(JSON.parse(own.stdout)).toMatchObject({ read: 3, accepted: 3 });
  consumer.signal('SIGINT');
  expect((await finish(consumer, 'consume', 60_000)).code).toBe(0);
  // The group of the first is not its own any more.
  const marked = await shop.run('consume --until-end -o json', copy);
  expect(marked.code, marked.stderr).toBe(4);
  expect(failureOf(marked)).toMatchObject({ code: 'group_marked' });
  expect(decided(shop.storage).sort()).toEqual(['a-0', 'a-1', 'b-0', 'b-1', 'c-0']);
});

test('a folder restored from before says that its group is ahead, and decides again what it has lost', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 2));
  await shop.ok('consume --until-end');
  const backup = copyOf(shop, 'backup');
  await sendRaw(shop.topic, pens('b', 3));
  await shop.ok('consume --until-end');

  const ahead = /group .* is 3 records ahead of this folder/;
  expect((await shop.ok('offsets show', backup)).stderr).toMatch(ahead);
  const restored = await shop.ok('consume --until-end -o json', backup);
  expect(restored.stderr).toMatch(ahead);
  expect(JSON.parse(restored.stdout)).toMatchObject({ read: 3, accepted: 3 });
  expect((await shop.ok('consume --until-end', backup)).stderr).not.toMatch(ahead);
});
