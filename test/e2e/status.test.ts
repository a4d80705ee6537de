import { expect, test } from 'vitest';
import { failureOf, finish, parseLines, penShop } from '../support/cli.ts';
import { deadAddress, startPrivateBroker, startPrivateRegistry } from '../support/cluster.ts';
import { createTopic, pens, sendRaw } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

test('the running consumer says how it is, without Kafka; a paused one is named', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 2);
  const consumer = shop.start('consume');
  await sendRaw(shop.topic, [...pens('a', 5), ...pens('a', 1), { value: 'no order' }]);
  await consumer.says(/dead-lettered/);
  const blind = { env: { ORDERCTL_BROKERS: await deadAddress(), ORDERCTL_REGISTRY: 'http://127.0.0.1:1' } };
  const shown = await waitFor(
    'all decisions',
    () => shop.json('status', blind),
    ({ counts, lag }) => (counts as { read: number }).read === 7 && lag === 0,
  );
  expect(shown).toEqual({
    running: true,
    pid: consumer.pid,
    started_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    state: 'consuming',
    waiting_for: null,
    topic: shop.topic,
    group: shop.group,
    // Of the last seconds, so that it may be 0 again: test/app/consumer-status.test.ts.
    orders_per_second: expect.any(Number) as number,
    lag: 0,
    last_commit_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    counts: { read: 7, accepted: 5, rejected: 0, duplicates: 1, conflicts: 0, dead_lettered: 1 },
    processors: [
      expect.objectContaining({
        processor: 'orders',
        topics: [shop.topic],
        read: 7,
        dead_lettered: 1,
      }) as object,
    ],
    instances: null,
    files: [],
    problem: null,
  });
  const { stdout } = await shop.ok('status', blind);
  expect(stdout).toContain(`process ${consumer.pid}`);
  expect(stdout).toContain('7: 5 accepted, 0 rejected, 1 duplicate, 0 conflicts, 1 dead letter');

  consumer.signal('SIGSTOP');
  const silent = await shop.run('status -o json', blind);
  expect(silent.code, silent.stderr).toBe(5);
  expect(failureOf(silent)).toMatchObject({ code: 'owner_unreachable' });
  expect(failureOf(silent).fix).toContain(`kill -CONT ${consumer.pid}`);
  consumer.signal('SIGCONT');
  consumer.signal('SIGTERM');
  expect((await finish(consumer, 'consume', 60_000)).code).toBe(0);
  const gone = await shop.run('status', blind);
  expect(gone).toMatchObject({ code: 3, stdout: '' });
});

test('it says what it waits for while it waits', async () => {
  const registry = await startPrivateRegistry();
  const shop = penShop({ ORDERCTL_REGISTRY: registry.address });
  await shop.ok('produce --user alice --item pen --quantity 2');
  await registry.kill();
  const consumer = shop.host('consume');
  await consumer.says(/registry/);
  expect(await shop.json('status')).toMatchObject({
    state: 'waiting',
    waiting_for: 'registry',
    lag: 1,
    last_commit_at: null,
    counts: { read: 0 },
  });
  expect((await shop.ok('status')).stdout).toContain('waiting for the schema registry');
  await registry.start();
  await consumer.says(/accepted/);
  // What it has to send waits for the registry too, and asks it once a second.
  await waitFor('the answer', async () => (await shop.json('status')).waiting_for === null);
  expect(await shop.json('status')).toMatchObject({ state: 'consuming', waiting_for: null });
});

test('--watch tells each second, over the end of a consumer too, until Ctrl-C', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  const watch = shop.start('status --watch -o json');
  const text = shop.host('status --watch');
  const lines = () => parseLines(watch.stdout());
  await waitFor('a line without a consumer', () => lines().some(({ running }) => running === false));
  const consumer = shop.host('consume');
  await sendRaw(shop.topic, pens('a', 3));
  await waitFor('the decisions', () =>
    lines().some(({ counts }) => (counts as { accepted: number } | null)?.accepted === 3),
  );
  await waitFor('the same as text', () =>
    /Z consuming, .* orders\/s, lag 0, read 3: 3 accepted/.test(text.stdout()),
  );
  consumer.signal('SIGINT');
  await finish(consumer, 'consume', 60_000);
  await waitFor('the end of the consumer', () => lines().at(-1)?.running === false);
  for (const running of [watch, text]) {
    running.signal('SIGINT');
    const { code, stderr } = await finish(running, 'status --watch', 60_000);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
  expect(text.stdout()).toMatch(/^\S+Z no consumer runs on .*\n/);
});

test('brokers that do not answer are seen at once, and their return', async () => {
  const broker = await startPrivateBroker();
  const shop = penShop({ ORDERCTL_BROKERS: broker.address });
  await createTopic(shop.topic, 1, broker.address);
  await sendRaw(shop.topic, pens('a', 1), broker.address);
  const consumer = shop.host('consume');
  await consumer.says(/accepted a-0/);
  await waitFor(
    'the lag',
    () => shop.json('status'),
    ({ lag }) => lag === 0,
  );
  broker.signal('SIGSTOP');
  const seen = await waitFor(
    'the wait',
    () => shop.json('status'),
    ({ state }) => state === 'waiting',
  );
  expect(seen).toMatchObject({ waiting_for: 'broker', lag: null });
  // Half a minute later there is a word about it as well.
  expect(consumer.stderr()).not.toMatch(/no answer/);
  broker.signal('SIGCONT');
  await waitFor(
    'the end of it',
    () => shop.json('status'),
    ({ state, lag }) => state === 'consuming' && lag === 0,
  );
});
