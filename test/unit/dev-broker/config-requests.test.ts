import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import { openedBroker } from '../../support/ask-broker.ts';
import { recordBatch } from '../../support/record-batches.ts';

/* Configurations and sizes, as the tools of administrators ask for them: the answers are those of Kafka's protocol. */

const dev = openedBroker();
const { append, ask } = dev;

describe('configurations', () => {
  const TOPIC = 2;
  const BROKER = 4;

  /** AlterConfigs: all that a topic is to have. */
  async function alter(
    name: string,
    configs: Record<string, string | null>,
    { version = 1, type = TOPIC, validateOnly = false } = {},
  ) {
    const reader = await ask(33, version, (writer) => {
      writer.structs([name], () => {
        writer.int8(type);
        writer.string(name);
        writer.structs(Object.entries(configs), ([key, value]) => {
          writer.string(key);
          writer.nullableString(value);
        });
      });
      writer.boolean(validateOnly);
    });
    reader.int32();
    const [only] = reader.structs(() => ({
      error: reader.int16(),
      message: reader.nullableString(),
      type: reader.int8(),
      name: reader.string(),
    }));
    return only;
  }

  async function describeConfigs(type: number, name: string, keys: string[] | null = null, version = 3) {
    const reader = await ask(32, version, (writer) => {
      writer.structs([name], () => {
        writer.int8(type);
        writer.string(name);
        writer.array(keys, (key) => writer.string(key));
      });
      writer.boolean(false);
      if (version >= 3) writer.boolean(false);
    });
    reader.int32();
    const [only] = reader.structs(() => ({
      error: reader.int16(),
      message: reader.nullableString(),
      type: reader.int8(),
      name: reader.string(),
      configs: reader.structs(() => {
        const config = {
          name: reader.string(),
          value: reader.nullableString(),
          readOnly: reader.boolean(),
          source: reader.int8(),
        };
        reader.boolean();
        reader.structs(() => undefined);
        if (version >= 3) {
          reader.int8();
          reader.nullableString();
        }
        return config;
      }),
    }));
    return only;
  }

  const own = (): object => dev.broker.topics.get('t')?.configs ?? {};

  it.each([0, 1, 2])('of a topic are replaced as a whole (version %i)', async (version) => {
    expect(await alter('t', { 'retention.ms': '1000', 'max.message.bytes': '2000' }, { version })).toEqual({
      error: ERROR.NONE,
      message: null,
      type: TOPIC,
      name: 't',
    });
    expect(own()).toEqual({ 'retention.ms': '1000', 'max.message.bytes': '2000' });
    // What is not named, or null, goes back to its default.
    await alter('t', { 'retention.ms': '5000', 'max.message.bytes': null }, { version });
    expect(own()).toEqual({ 'retention.ms': '5000' });
  });

  it('that are only tried, or wrong, or of something else, change nothing', async () => {
    await alter('t', { 'retention.ms': '1000' });
    expect(await alter('t', { 'retention.ms': '7' }, { validateOnly: true })).toMatchObject({
      error: ERROR.NONE,
    });
    expect(await alter('t', { 'retention.ms': 'soon' }, { validateOnly: true })).toMatchObject({
      error: ERROR.INVALID_CONFIG,
    });
    expect(await alter('t', { 'retention.ms': 'soon' })).toMatchObject({ error: ERROR.INVALID_CONFIG });
    expect(await alter('nobody', {})).toMatchObject({ error: ERROR.UNKNOWN_TOPIC_OR_PARTITION });
    expect(await alter('1', {}, { type: BROKER })).toMatchObject({ error: ERROR.INVALID_REQUEST });
    expect(own()).toEqual({ 'retention.ms': '1000' });
  });

  it('of the broker are its own settings, and read only', async () => {
    const all = await describeConfigs(BROKER, '1');
    expect(all).toMatchObject({ error: ERROR.NONE, type: BROKER, name: '1' });
    expect(Object.fromEntries((all?.configs ?? []).map(({ name, value }) => [name, value]))).toEqual({
      'auto.create.topics.enable': 'true',
      'broker.id': '1',
      'default.replication.factor': '1',
      'delete.topic.enable': 'true',
      'min.insync.replicas': '1',
      'node.id': '1',
      'num.partitions': '1',
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.replication.factor': '1',
    });
    expect(all?.configs.every(({ readOnly, source }) => readOnly && source === BROKER)).toBe(true);
    expect((await describeConfigs(BROKER, '1', ['node.id'], 1))?.configs).toEqual([
      { name: 'node.id', value: '1', readOnly: true, source: BROKER },
    ]);
    expect(await describeConfigs(BROKER, '')).toMatchObject({ error: ERROR.NONE, configs: [] });
    expect(await describeConfigs(BROKER, '2')).toMatchObject({ error: ERROR.INVALID_REQUEST, configs: [] });
  });

  it('of a broker that was started otherwise are otherwise', async () => {
    dev.reopen({ autoCreateTopics: false, defaultPartitions: 6 });
    const found = await describeConfigs(BROKER, '1', ['num.partitions', 'auto.create.topics.enable']);
    expect(found?.configs.map(({ value }) => value)).toEqual(['false', '6']);
  });

  it('of a topic say which are its own', async () => {
    await alter('t', { 'retention.ms': '1000' });
    const found = await describeConfigs(TOPIC, 't', ['retention.ms', 'max.message.bytes']);
    expect(found?.configs.map(({ name, source, readOnly }) => [name, source, readOnly]).sort()).toEqual([
      ['max.message.bytes', 5, false],
      ['retention.ms', 1, false],
    ]);
  });
});

describe('DescribeLogDirs', () => {
  async function sizes(wanted: Record<string, number[]> | null, version: number) {
    const reader = await ask(35, version, (writer) =>
      writer.structs(wanted === null ? null : Object.entries(wanted), ([name, partitions]) => {
        writer.string(name);
        writer.array(partitions, (partition) => writer.int32(partition));
      }),
    );
    reader.int32();
    if (version >= 3) expect(reader.int16()).toBe(ERROR.NONE);
    const [dir, ...others] = reader.structs(() => {
      const found = {
        error: reader.int16(),
        folder: reader.string(),
        topics: reader.structs(() => ({
          name: reader.string(),
          sizes: reader.structs(() => {
            const size = [reader.int32(), reader.int64()];
            expect([reader.int64(), reader.boolean()]).toEqual([0, false]);
            return size;
          }),
        })),
      };
      const room = version >= 4 ? { total: reader.int64(), usable: reader.int64() } : null;
      return { ...found, room };
    });
    expect(others).toEqual([]);
    return dir;
  }

  it.each([1, 2, 3, 4])(
    'tells the size of every partition, or of those that are named (version %i)',
    async (version) => {
      append('t', 1, { values: ['a'] });
      const bytes = recordBatch({ values: ['a'] }).length;
      const all = await sizes(null, version);
      expect(all).toMatchObject({ error: ERROR.NONE, folder: dev.broker.dataDir });
      expect([...(all?.topics ?? [])].sort((a, b) => a.name.localeCompare(b.name))).toEqual([
        { name: 'other', sizes: [[0, 0]] },
        {
          name: 't',
          sizes: [
            [0, 0],
            [1, bytes],
          ],
        },
      ]);
      expect((await sizes({ t: [1], gone: [0] }, version))?.topics).toEqual([
        { name: 't', sizes: [[1, bytes]] },
      ]);
      if (version < 4) return;
      const { blocks, bsize } = fs.statfsSync(dev.broker.dataDir);
      expect(all?.room?.total).toBe(blocks * bsize);
      expect(all?.room?.usable).toBeGreaterThan(0);
      expect(all?.room?.usable).toBeLessThanOrEqual(blocks * bsize);
    },
  );
});
