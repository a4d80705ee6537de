import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { failureOf, openShop, penShop, type Shop } from '../support/cli.ts';
import { isEmbedded } from '../support/cluster.ts';
import { runKafkaTool, withoutKafkaTools } from '../support/kafka-tool.ts';
import {
  committedOffsets,
  createTopic,
  deleteRecordsBefore,
  joinGroup,
  moveGroup,
  pens,
  sendRaw,
} from '../support/topics.ts';

/** Four orders in partition 0, two in partition 1, all decided. */
async function readShop(): Promise<Shop> {
  const shop = penShop();
  await createTopic(shop.topic, 2);
  await sendRaw(shop.topic, [
    ...pens('a', 4).map((message) => ({ ...message, partition: 0 })),
    ...pens('b', 2).map((message) => ({ ...message, partition: 1 })),
  ]);
  await shop.ok('consume --until-end');
  return shop;
}

const committed = async ({ group, topic }: Shop) =>
  [...(await committedOffsets(group, topic))].sort().map(([, { offset }]) => offset);
const stored = async (shop: Shop) =>
  (await shop.json('offsets show')).partitions.map((partition) => partition.stored);

test('show tells where folder and group stand, beside a running consumer too', async () => {
  const shop = await readShop();
  await sendRaw(shop.topic, [{ ...pens('c', 1)[0], value: 'x', partition: 1 }]);
  expect(await shop.json('offsets show')).toEqual({
    topic: shop.topic,
    group: shop.group,
    group_state: 'empty',
    total_lag: 1,
    processor: 'orders',
    partitions: [
      { topic: shop.topic, partition: 0, start: 0, committed: 4, stored: 4, end: 4, lag: 0 },
      { topic: shop.topic, partition: 1, start: 0, committed: 2, stored: 2, end: 3, lag: 1 },
    ],
  });
  const { stdout } = await shop.ok('offsets show');
  expect(stdout).toBe(
    `topic ${shop.topic}, group ${shop.group} (empty): lag 1\n` +
      'PARTITION  START  COMMITTED  STORED  END  LAG\n' +
      '        0      0          4       4    4    0\n' +
      '        1      0          2       2    3    1\n',
  );
  const consumer = shop.host('consume');
  await consumer.says(/dead-lettered/);
  expect(await shop.json('offsets show')).toMatchObject({ group_state: 'stable', total_lag: 0 });

  const fresh = penShop({ ORDERCTL_TOPIC: shop.topic });
  const nothing = { committed: null, stored: null };
  expect(await fresh.json('offsets show')).toMatchObject({
    group_state: 'dead',
    total_lag: 7,
    partitions: [
      { ...nothing, lag: 4 },
      { ...nothing, lag: 3 },
    ],
  });
});

test('a reset says what it comes to, does it with --execute, and is taken back by undo', async () => {
  const shop = await readShop();
  const before = (await shop.ok('inventory show')).stdout;
  const dry = await shop.ok('offsets reset --to 1');
  expect(dry.stdout).toBe(
    'PARTITION  BEFORE  AFTER  START  END  LAG  READ AGAIN  SKIPPED\n' +
      '        0       4      1      0    4    3           3        0\n' +
      '        1       2      1      0    2    1           1        0\n' +
      'nothing changed; add --execute\n',
  );
  expect(await stored(shop)).toEqual([4, 2]);

  const done = await shop.json('offsets reset --to -2 --execute');
  expect(done).toEqual({
    topic: shop.topic,
    group: shop.group,
    to: '-2',
    executed: true,
    undo_file: expect.stringMatching(/\.orderctl\/undo-.*\.csv$/) as string,
    processor: 'orders',
    partitions: [
      { partition: 0, before: 4, after: 2, start: 0, end: 4, read_again: 2, skipped: 0 },
      { partition: 1, before: 2, after: 0, start: 0, end: 2, read_again: 2, skipped: 0 },
    ].map((moved) => ({ topic: shop.topic, ...moved })),
  });
  expect([await stored(shop), await committed(shop)]).toEqual([
    [2, 0],
    [2, 0],
  ]);
  const undoFile = String(done.undo_file);
  expect(fs.readFileSync(undoFile, 'utf8')).toBe(`${shop.topic},0,4\n${shop.topic},1,2\n`);

  // Back, and forth again.
  expect(await shop.json('offsets undo')).toMatchObject({ to: 'undo', executed: false });
  expect(await stored(shop)).toEqual([2, 0]);
  const undone = await shop.ok('offsets undo --execute');
  // All of them were read before the reset: none is skipped.
  expect(undone.stderr).not.toContain('skipped');
  expect(undone.stdout).toContain(`moved 2 partitions of ${shop.topic}, with group ${shop.group}`);
  expect(await committed(shop)).toEqual([4, 2]);
  await shop.ok('offsets undo --execute');
  expect(await committed(shop)).toEqual([2, 0]);

  // What is read again changes nothing, and the group is our own: nobody else is said to have moved it.
  const again = await shop.ok('consume --until-end -o json');
  expect(JSON.parse(again.stdout)).toMatchObject({ read: 4, duplicates: 4, skipped: 0 });
  expect(again.stderr).not.toMatch(/moved|warning/);
  expect((await shop.ok('inventory show')).stdout).toBe(before);

  // The file of before is one to go back to.
  await shop.ok(['offsets', 'reset', '--from-file', undoFile, '--execute']);
  expect(await stored(shop)).toEqual([4, 2]);
});

test('all places, some partitions, and what lies outside', async () => {
  const shop = await readShop();
  await deleteRecordsBefore(shop.topic, 1);
  const after = async (args: string) =>
    (await shop.json(`offsets reset ${args}`)).partitions.map((move) => move.after);
  expect(await after('--to earliest')).toEqual([1, 0]);
  expect(await after('--to latest')).toEqual([4, 2]);
  expect(await after('--to current')).toEqual([4, 2]);
  expect(await after('--to 7d')).toEqual([1, 0]);
  expect(await after('--to 2020-01-01T00:00:00Z')).toEqual([1, 0]);
  expect(await after('--to 2120-01-01T00:00:00+01:00 --partitions 1')).toEqual([2]);
  expect(await after('--to -1 --partitions 0,1')).toEqual([3, 1]);
  const low = await shop.ok('offsets reset --to 0 --partitions 0');
  expect(low.stderr).toContain(`${shop.topic}/0 has no offset 0: moved into range, to 1`);
  const high = await shop.ok('offsets reset --to +9 --partitions 1');
  expect(high.stderr).toContain(`${shop.topic}/1 has no offset 11: moved into range, to 2`);

  // A group that another tool moved: current is where that put it, and a reset of the other partition honours it.
  await moveGroup(shop.group, shop.topic, 2);
  expect(await after('--to current --partitions 0')).toEqual([2]);
  const other = await shop.run('offsets reset --to 1 --partitions 1 --execute');
  expect(other.stderr).toContain('another tool moved the group; reading continues there, 4 → 2');
  expect([await stored(shop), await committed(shop)]).toEqual([
    [2, 1],
    [2, 1],
  ]);
});

test('a forward reset is a skip: warned about with its count', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 5));
  const skipped = await shop.ok('offsets reset --to 3 --execute');
  expect(skipped.stderr).toMatch(/^warning: 3 records are skipped/m);
  expect(skipped.stdout).toMatch(/^ +0 +none +3 +0 +5 +2 +0 +3$/m);
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({ read: 2, accepted: 2 });
  // Undone, the skipped ones are read after all.
  await shop.ok('offsets undo --execute');
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({ read: 5, accepted: 3, duplicates: 2 });
});

test('refused while a consumer runs or the group has members; a ghost is removed', async () => {
  const shop = await readShop();
  const consumer = shop.start('consume');
  await consumer.says(/consuming/);
  const owned = await shop.run('offsets reset --to earliest --execute -o json');
  expect(owned).toMatchObject({ code: 4, stdout: '' });
  expect(failureOf(owned)).toMatchObject({ code: 'folder_in_use' });
  const dry = await shop.ok('offsets reset --to earliest');
  expect(dry.stderr).toContain(`in use by the consumer of this folder (process ${consumer.pid})`);

  consumer.signal('SIGKILL');
  await consumer.exited;
  const killed = await shop.ok('offsets reset --to earliest --execute');
  expect(killed.stderr).toMatch(/removed from group .* a member that this folder left behind/);
  expect(await committed(shop)).toEqual([0, 0]);

  const foreign = await joinGroup(shop.group, shop.topic, { autoCommit: false });
  const used = await shop.run('offsets reset --to latest --execute -o json');
  expect(used.code, used.stderr).toBe(4);
  expect(failureOf(used)).toMatchObject({ code: 'group_in_use' });
  expect(failureOf(used).fix).toContain('--group');
  expect((await shop.ok('offsets reset --to latest')).stderr).toMatch(/in use by member a-stranger/);
  await foreign.leave();

  const other = penShop({ ORDERCTL_TOPIC: shop.topic, ORDERCTL_GROUP: shop.group });
  const marked = await other.run('offsets reset --to latest -o json');
  expect(marked.code, marked.stderr).toBe(4);
  expect(failureOf(marked)).toMatchObject({ code: 'group_marked' });
  expect(failureOf(marked).fix).toContain('orderctl consume --adopt');
});

test('what is not there: topic, partition, reset to undo, offsets in the file', async () => {
  const shop = await readShop();
  for (const args of ['show', 'export', 'reset --to earliest', 'reset --to earliest --execute']) {
    const missing = await shop.run(`offsets ${args} --topic ${shop.topic}-absent -o json`);
    expect(missing.code, missing.stderr).toBe(3);
    expect(failureOf(missing)).toMatchObject({ code: 'topic_missing', topic: `${shop.topic}-absent` });
  }
  const partition = await shop.run('offsets reset --to 1 --partitions 0,5 -o json');
  expect(partition.code, partition.stderr).toBe(2);
  expect(failureOf(partition)).toMatchObject({ message: `topic ${shop.topic} has no partition 5` });
  const undo = await shop.run('offsets undo --execute -o json');
  expect(undo.code, undo.stderr).toBe(3);

  const file = path.join(shop.folder, 'offsets.csv');
  fs.writeFileSync(file, `${shop.topic},1,1\npayments,0,7\n`);
  const some = await shop.ok(`offsets reset --from-file ${file}`);
  expect(some.stderr).toContain('skipped 1 line of other topics or groups');
  expect(some.stdout).not.toMatch(/^ +0 /m);
  const absent = await shop.run(`offsets reset --from-file ${file} --partitions 0`);
  expect(absent).toMatchObject({ code: 2 });
  expect(absent.stderr).toContain('has no offset for partition 0');
  fs.writeFileSync(file, `${shop.topic},9,1\n`);
  expect(await shop.run(`offsets reset --from-file ${file}`)).toMatchObject({ code: 2 });
  expect(await stored(shop)).toEqual([4, 2]);
});

// The embedded broker beside these tools: test/embedded/clients.test.ts.
test.skipIf(isEmbedded || withoutKafkaTools)(
  'kafka-consumer-groups sees what reset did, reads what export wrote, and writes what reset reads',
  { timeout: 180_000 },
  async () => {
    const shop = await readShop();
    const groupTool = (...args: string[]) =>
      runKafkaTool('consumer-groups', ['--group', shop.group, ...args]);
    const exported = (await shop.ok('offsets export')).stdout;
    expect(exported).toBe(`${shop.topic},0,4\n${shop.topic},1,2\n`);
    fs.writeFileSync(path.join(shop.folder, 'kept.csv'), exported);

    await shop.ok('offsets reset --to 1 --execute');
    const described = await groupTool('--describe');
    // TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG
    for (const row of [`${shop.topic} +0 +1 +4 +3`, `${shop.topic} +1 +1 +2 +1`]) {
      expect(described).toMatch(new RegExp(row));
    }

    // It sets what our file says; then its own export takes us elsewhere.
    const set = await groupTool(
      '--reset-offsets',
      '--from-file',
      path.join(shop.folder, 'kept.csv'),
      '--execute',
    );
    expect(set).toMatch(new RegExp(`${shop.topic} +0 +4`));
    expect(await committed(shop)).toEqual([4, 2]);
    const toEarliest = ['--topic', shop.topic, '--reset-offsets', '--to-earliest'];
    const written = await groupTool(...toEarliest, '--dry-run', '--export');
    await shop.ok('offsets reset --from-file - --execute', { input: written });
    expect([await stored(shop), await committed(shop)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  },
);

test('the positions of another processor: all of its topics, or one of them', async () => {
  const { topic } = openShop();
  const names = ['orders.validated', 'inventory.rejected', 'orders.cancelled'];
  const topics = names.map((name) => `${topic}-${name}`);
  const shop = penShop({
    ORDERCTL_TOPICS: names.map((name, at) => `${name}=${topics[at] ?? ''}`).join(','),
  });
  const [first = '', second = ''] = topics;
  const missing = await shop.run('offsets show --processor payment -o json');
  expect(missing.code, missing.stderr).toBe(3);
  expect(failureOf(missing).fix).toContain('create it with "orderctl run payment"');
  for (const name of topics) await createTopic(name, 1);
  await sendRaw(first, [{ value: 'x' }, { value: 'y' }]);
  await sendRaw(second, [{ value: 'z' }]);
  await shop.ok('offsets reset --to latest --processor payment --execute');
  const shown = await shop.json(`offsets show --processor ${shop.group}.payment`);
  expect(shown).toMatchObject({ topic: null, group: `${shop.group}.payment`, processor: 'payment' });
  expect(shown.partitions.map(({ topic: of, stored: at, committed: group }) => [of, at, group])).toEqual([
    [first, 2, 2],
    [second, 1, 1],
    [topics[2], 0, 0],
  ]);
  const { stdout } = await shop.ok('offsets show --processor payment');
  expect(stdout).toMatch(/^TOPIC +PARTITION/m);
  expect((await shop.json('audit')).skips).toMatchObject([
    { processor: 'payment', topic: first, from: 0, to: 2 },
    { processor: 'payment', topic: second, from: 0, to: 1 },
  ]);
  // What orders has read is another matter.
  expect((await shop.run('offsets undo')).code).toBe(3);

  const one = `--processor payment --source ${first}`;
  expect((await shop.ok(`offsets export ${one}`)).stdout).toBe(`${first},0,2\n`);
  const partitions = await shop.run('offsets reset --to 1 --processor payment --partitions 0 -o json');
  expect(partitions.code).toBe(2);
  expect(failureOf(partitions).fix).toContain('--source');
  await shop.ok(`offsets reset --to 1 ${one} --partitions 0 --execute`);
  await shop.ok('offsets undo --processor payment --execute');
  const file = path.join(shop.folder, 'offsets.csv');
  fs.writeFileSync(file, (await shop.ok('offsets export --processor payment')).stdout);
  expect(fs.readFileSync(file, 'utf8')).toBe(`${first},0,2\n${second},0,1\n${topics[2] ?? ''},0,0\n`);
  await shop.ok('offsets reset --to earliest --processor payment --execute');
  await shop.ok(['offsets', 'reset', '--processor', 'payment', '--from-file', file, '--execute']);
  expect((await shop.ok('offsets export --processor payment')).stdout).toBe(fs.readFileSync(file, 'utf8'));

  for (const args of ['--processor paymant', `--processor payment --source ${shop.topic}`]) {
    expect((await shop.run(`offsets show ${args}`)).code).toBe(2);
  }
});
