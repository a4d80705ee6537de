import fs from 'node:fs';
import path from 'node:path';
import kafkajs from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { failureOf, openShop, penShop, type Json } from '../support/cli.ts';
import { closedPort } from '../support/closed-port.ts';
import { createTopic, readTopic, sendRaw, withAdmin } from '../support/topics.ts';

/** What another client sees of a topic. */
async function seen(topic: string): Promise<{ partitions: number; configs: Record<string, string> }> {
  return withAdmin(async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    });
    const entries = resources.flatMap((resource) => resource.configEntries);
    return {
      partitions: topics[0]?.partitions.length ?? 0,
      configs: Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
    };
  });
}

const WEEK = '604800000';
const MONTH = '2592000000';

describe('topics', () => {
  test('apply makes what is missing, as another client sees it, and then there is nothing to do', async () => {
    const shop = openShop();
    const shown = await shop.json('topics show');
    expect(shown).toMatchObject({
      topics: [
        {
          topic: shop.topic,
          exists: false,
          partitions: { declared: 6, actual: null },
          replication: { declared: 3, actual: null },
          configs: [{ name: 'retention.ms', declared: WEEK, actual: null }],
        },
        { topic: shop.dlqTopic, exists: false },
      ],
      actions: [
        { action: 'create', topic: shop.topic },
        { action: 'create', topic: shop.dlqTopic },
      ],
    });
    const text = await shop.ok('topics show');
    expect(text.stdout).toMatch(/partitions +6 +missing/);
    expect(text.stderr).toContain('orderctl topics apply');

    const plan = await shop.ok('topics apply');
    expect(plan.stdout).toContain(`create ${shop.topic}: 6 partitions`);
    expect(plan.stdout).toMatch(/nothing changed; add --execute\n$/);
    expect((await shop.json('topics show')).topics).toMatchObject([{ exists: false }, { exists: false }]);

    const done = await shop.json('topics apply --execute');
    expect(done).toMatchObject({
      executed: true,
      actions: [
        { action: 'create', topic: shop.topic, done: true },
        { action: 'create', topic: shop.dlqTopic, done: true },
      ],
    });
    if (Number(done.brokers) < 3) {
      expect(done.warnings).toContainEqual(expect.stringMatching(/of 3 copies, because the cluster has/));
    }
    const orders = await seen(shop.topic);
    expect(orders).toMatchObject({ partitions: 6, configs: { 'retention.ms': WEEK } });
    const room = Number(orders.configs['max.message.bytes']) + 64 * 1024;
    expect(await seen(shop.dlqTopic)).toMatchObject({
      partitions: 6,
      configs: { 'retention.ms': MONTH, 'max.message.bytes': String(room) },
    });
    expect(await shop.json('topics apply --execute')).toMatchObject({ actions: [] });
    expect((await shop.ok('topics apply')).stdout).toBe('the cluster has the declared topics\n');
  });

  test('apply adds partitions and raises values, warns of moving keys, and makes nothing smaller', async () => {
    const shop = openShop();
    await createTopic(shop.topic, 2);
    const configs = { 'retention.ms': '-1', 'max.message.bytes': '5000', 'max.compaction.lag.ms': '123456' };
    await createTopic(shop.dlqTopic, 8, undefined, configs);
    await sendRaw(shop.topic, [{ key: 'k', value: 'v' }]);
    const plan = await shop.json('topics apply');
    expect(plan).toMatchObject({ executed: false });
    expect(plan.actions).toContainEqual(
      expect.objectContaining({
        action: 'add_partitions',
        topic: shop.topic,
        before: 2,
        after: 6,
        done: false,
      }),
    );
    expect(plan.warnings).toContainEqual(expect.stringContaining('moves keys'));
    const done = await shop.ok('topics apply --execute');
    expect(done.stdout).toContain(`change ${shop.topic}: partitions 2 → 6: done`);
    expect(done.stdout).toMatch(/max\.message\.bytes 5000 → \d+: done/);
    expect(done.stderr).toContain('moves keys');
    expect((await seen(shop.topic)).partitions).toBe(6);
    expect(await readTopic(shop.topic)).toHaveLength(1);
    const dlq = await seen(shop.dlqTopic);
    expect(dlq).toMatchObject({
      partitions: 8,
      configs: { 'retention.ms': '-1', 'max.compaction.lag.ms': '123456' },
    });
    expect(Number(dlq.configs['max.message.bytes'])).toBeGreaterThan(100_000);
    const shown = await shop.json('topics show');
    expect(shown.actions).toEqual([]);
    expect((shown.topics as Json[])[1]?.partitions).toEqual({ declared: 6, actual: 8 });
  });

  test('those of messages are made by name, under the names that the settings give them', async () => {
    const shop = openShop();
    const created = `${shop.topic}.created`;
    fs.writeFileSync(
      path.join(shop.folder, 'orderctl.json'),
      JSON.stringify({ topics: { 'orders.created': created } }),
    );
    const shown = await shop.json('topics show orders.created');
    expect(shown.topics).toMatchObject([
      { message: 'orders.created', topic: created, exists: false },
      { message: 'orders.created', topic: `${created}.dlq`, exists: false },
    ]);
    expect((await shop.ok('topics show orders.created')).stderr).toContain('topics apply orders.created');
    const other = `--topics orders.created=${created}-2`;
    expect((await shop.ok(`topics show orders.created ${other}`)).stderr).toContain(
      `orderctl --topics 'orders.created=${created}-2' topics apply orders.created\n`,
    );
    await shop.ok('topics apply orders.created --execute');
    expect(await seen(created)).toMatchObject({ partitions: 6, configs: { 'retention.ms': WEEK } });
    expect(await seen(`${created}.dlq`)).toMatchObject({ partitions: 6, configs: { 'retention.ms': MONTH } });
    const all = (await shop.json('topics show --all')).topics as Json[];
    expect(all.map(({ topic }) => topic)).toEqual(
      expect.arrayContaining([shop.topic, shop.dlqTopic, created, 'payments.processed', 'dlq']),
    );
    expect((await shop.run('topics show order.created')).stderr).toContain('did you mean orders.created?');
    const refused: [string, number, string][] = [
      ['topics show order.created', 2, 'invalid_value'],
      ['topics apply orders --all', 2, 'usage'],
      ['topics show --all --topics payment=x', 2, 'invalid_settings'],
    ];
    for (const [line, code, name] of refused) {
      const result = await shop.run(`${line} -o json`);
      expect(result.code, line).toBe(code);
      expect(failureOf(result), line).toMatchObject({ code: name });
    }
  });

  test('what consume makes is what is declared', async () => {
    const shop = penShop();
    await shop.ok('consume --until-end');
    expect((await shop.json('topics show')).actions).toEqual([]);
  });

  test('nobody there is 5, a bad name 2', async () => {
    const shop = openShop();
    const away = await shop.run(`topics show --brokers 127.0.0.1:${await closedPort()} -o json`);
    expect(away.code).toBe(5);
    expect(failureOf(away)).toMatchObject({ code: 'broker_unreachable' });
    expect((await shop.run('topics apply --topic a/b')).code).toBe(2);
    expect((await shop.run('topics remove')).code).toBe(2);
  });
});
