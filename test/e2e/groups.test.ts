import { expect, test } from 'vitest';
import { failureOf, finish, penShop } from '../support/cli.ts';
import {
  committedOffsets,
  createTopic,
  endOffsets,
  joinGroup,
  moveGroup,
  pens,
  sendRaw,
  withAdmin,
} from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

test('a second consumer of a folder is refused at once, with the name of the one that has it', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 2);
  const first = shop.start('consume');
  await sendRaw(shop.topic, pens('a', 1));
  await first.says(/accepted a-0/);
  const second = await shop.run('consume --until-end -o json');
  expect(second.code, second.stderr).toBe(4);
  expect(failureOf(second)).toMatchObject({ code: 'folder_in_use', exit_code: 4 });
  expect(failureOf(second).message).toContain(String(first.pid));

  // A paused owner is never robbed.
  first.signal('SIGSTOP');
  expect((await shop.run('consume --until-end')).code).toBe(4);
  first.signal('SIGCONT');
  first.signal('SIGTERM');
  const { code, stderr } = await finish(first, 'consume', 60_000);
  expect(code, stderr).toBe(0);
});

test('Ctrl-C ends a consumer with its summary and 0, and the group is free at once', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 2);
  const consumer = shop.start('consume -o json');
  await sendRaw(shop.topic, pens('a', 3));
  await consumer.says(/accepted a-2/);
  consumer.signal('SIGINT');
  const { code, stdout, stderr } = await finish(consumer, 'consume', 60_000);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ read: 3, accepted: 3, stopped_by: 'signal' });
  const group = await withAdmin((admin) => admin.describeGroups([shop.group]));
  expect(group.groups[0]?.members).toEqual([]);
});

test('a group with foreign members is refused, with the way out', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 2);
  const foreign = await joinGroup(shop.group, shop.topic);
  const result = await shop.run('consume --until-end -o json');
  expect(result.code, result.stderr).toBe(4);
  expect(failureOf(result)).toMatchObject({ code: 'group_in_use' });
  expect(failureOf(result).fix).toMatch(/--group/);
  await foreign.leave();
  await sendRaw(shop.topic, pens('a', 1));
  const [summary] = await shop.lines('consume --until-end');
  expect(summary).toMatchObject({ accepted: 1 });
});

test("another folder's mark on the group is a refusal; --adopt takes it over at its committed offsets", async () => {
  const first = penShop();
  await createTopic(first.topic, 2);
  await sendRaw(first.topic, pens('a', 4));
  await first.ok('consume --until-end');
  await sendRaw(first.topic, pens('b', 3));

  const second = penShop({ ORDERCTL_TOPIC: first.topic, ORDERCTL_GROUP: first.group });
  const refused = await second.run('consume --until-end -o json');
  expect(refused.code, refused.stderr).toBe(4);
  expect(failureOf(refused)).toMatchObject({ code: 'group_marked' });
  expect(failureOf(refused).fix).toMatch(/--adopt/);
  expect(failureOf(refused).fix).toMatch(/--group/);
  expect(second.read('orders.jsonl')).toBe('');

  const [adopted] = await second.lines('consume --until-end --adopt');
  expect(adopted).toMatchObject({ read: 3, accepted: 3 });
  // Now it bears the second one's mark.
  expect((await first.run('consume --until-end')).code).toBe(4);
  expect((await second.lines('consume --until-end'))[0]).toMatchObject({ read: 0 });
});

test('a folder without positions starts where the group stands, when no folder has marked it', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 5));
  await moveGroup(shop.group, shop.topic, 3);
  const [summary] = await shop.lines('consume --until-end');
  expect(summary).toMatchObject({ read: 2, accepted: 2 });
});

test('another tool that moves the group is followed, and said so', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 5));
  await shop.ok('consume --until-end');
  await moveGroup(shop.group, shop.topic, 1);
  const moved = await shop.ok('consume --until-end -o json');
  expect(JSON.parse(moved.stdout)).toMatchObject({ read: 4, duplicates: 4, accepted: 0 });
  expect(moved.stderr).toMatch(/moved/i);
  expect((await committedOffsets(shop.group, shop.topic)).get(0)?.offset).toBe(5);
});

test('a group whose offsets were deleted is no move: the stored position stands', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 5));
  await shop.ok('consume --until-end');
  await withAdmin((admin) => admin.deleteGroups([shop.group]));
  const [summary] = await shop.lines('consume --until-end');
  expect(summary).toMatchObject({ read: 0, duplicates: 0 });
});

test('partitions that are added later are read from their start', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 2));
  const consumer = shop.start('consume');
  await consumer.says(/accepted a-1/);
  await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: shop.topic, count: 3 }] }));
  await waitFor(
    'the new partitions',
    () => endOffsets(shop.topic),
    (ends) => ends.size === 3,
  );
  await sendRaw(
    shop.topic,
    pens('b', 3).map((message, partition) => ({ ...message, partition })),
  );
  for (const id of ['b-0', 'b-1', 'b-2']) await consumer.says(new RegExp(`accepted ${id}`));
  consumer.signal('SIGINT');
  expect((await finish(consumer, 'consume', 60_000)).code).toBe(0);
  expect(shop.stock()).toEqual({ pen: 45 });
});
