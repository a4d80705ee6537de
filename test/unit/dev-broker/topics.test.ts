import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { Topics } from '../../../src/dev-broker/cluster/topics.ts';
import {
  checkTopicConfigs,
  describeTopicConfigs,
  topicSettings,
} from '../../../src/dev-broker/cluster/topic-config.ts';
import { readBatchHeader } from '../../../src/dev-broker/wire/record-batch.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { recordBatch } from '../../support/record-batches.ts';

const { start, connect, folder } = embeddedBroker();
const open: Topics[] = [];
afterEach(() => {
  for (const topics of open.splice(0)) topics.close();
});

function topicsIn(dataDir: string): Topics {
  const topics = new Topics(dataDir, () => undefined);
  open.push(topics);
  return topics;
}

function reopen(topics: Topics, dataDir: string): Topics {
  open.splice(open.indexOf(topics), 1);
  topics.close();
  return topicsIn(dataDir);
}

function fill(topics: Topics, topic: string, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const batch = recordBatch({ values: ['x'] });
    topics.partition(topic, 0)?.append(batch, readBatchHeader(batch), 1);
  }
}

describe('topics', () => {
  it.each(['', '.', '..', 'with space', 'a/b', 'ü', 'x'.repeat(250)])('cannot be called %j', (name) => {
    expect(() => topicsIn(folder()).create(name, 1)).toThrow(expect.objectContaining({ code: 17 }));
  });

  it('may have the longest name there is', () => {
    const dataDir = folder();
    const name = 'x'.repeat(249);
    const topics = topicsIn(dataDir);
    topics.create(name, 1);
    expect(reopen(topics, dataDir).get(name)?.partitions).toHaveLength(1);
  });

  it('are made once, with partitions that can only become more', () => {
    const topics = topicsIn(folder());
    const { id } = topics.create('t', 2);
    expect(topics.byId(id)?.name).toBe('t');
    expect(() => topics.create('t', 2)).toThrow(expect.objectContaining({ code: 36 }));
    for (const count of [0, -1, 1_001]) {
      expect(() => topics.create('u', count)).toThrow(expect.objectContaining({ code: 37 }));
    }
    for (const count of [2, 1]) {
      expect(() => topics.addPartitions('t', count)).toThrow(expect.objectContaining({ code: 37 }));
    }
    expect(() => topics.addPartitions('nobody', 3)).toThrow(expect.objectContaining({ code: 3 }));
    topics.addPartitions('t', 3);
    expect(topics.partition('t', 2)?.endOffset).toBe(0);
  });

  it('have another id when they are deleted and created again', () => {
    const dataDir = folder();
    const topics = topicsIn(dataDir);
    const gone: string[] = [];
    topics.onDeleted((name) => gone.push(name));
    const first = topics.create('t', 1);
    fill(topics, 't', 3);
    topics.deleteRecords(first, first.partitions[0] ?? never(), 2);
    topics.delete('t');
    expect(gone).toEqual(['t']);
    const second = topics.create('t', 1);
    expect(second.id).not.toBe(first.id);
    const again = reopen(topics, dataDir).get('t');
    expect(again?.id).toBe(second.id);
    expect([again?.partitions[0]?.startOffset, again?.partitions[0]?.endOffset]).toEqual([0, 0]);
  });

  it('keep over a restart which records were deleted', () => {
    const dataDir = folder();
    const topics = topicsIn(dataDir);
    const topic = topics.create('t', 1);
    fill(topics, 't', 3);
    topics.deleteRecords(topic, topic.partitions[0] ?? never(), 2);
    expect(reopen(topics, dataDir).partition('t', 0)?.startOffset).toBe(2);
  });

  it('leave no folder behind that nobody knows', () => {
    const dataDir = folder();
    const topics = topicsIn(dataDir);
    const { id } = topics.create('t', 1);
    fs.mkdirSync(path.join(dataDir, 'logs', 'half-made', '0'), { recursive: true });
    reopen(topics, dataDir);
    expect(fs.readdirSync(path.join(dataDir, 'logs'))).toEqual([id]);
  });
});

describe('configurations', () => {
  it('have effect at once, and go back to their defaults', () => {
    const topics = topicsIn(folder());
    const topic = topics.create('t', 1, { 'retention.ms': '5' });
    expect(topic.settings.retentionMs).toBe(5);
    topics.configure('t', { 'max.message.bytes': '77', 'cleanup.policy': 'compact' });
    expect(topic.settings).toMatchObject({ retentionMs: 604_800_000, maxMessageBytes: 77, deletes: false });
    topics.configure('t', { 'cleanup.policy': 'compact,delete', 'message.timestamp.type': 'LogAppendTime' });
    expect(topic.settings).toMatchObject({ deletes: true, isAppendTime: true });
  });

  it.each([
    ['no.such.setting', '1'],
    ['retention.ms', 'soon'],
    ['retention.ms', '-2'],
    ['retention.ms', '1.5'],
    ['segment.bytes', '0'],
    ['segment.bytes', '99999999999'],
    ['cleanup.policy', 'shred'],
    ['message.timestamp.type', 'createtime'],
    ['preallocate', 'maybe'],
    ['min.cleanable.dirty.ratio', '1.1'],
    ['min.cleanable.dirty.ratio', ''],
  ])('are refused by name: %s=%s', (name, value) => {
    expect(() => checkTopicConfigs({ [name]: value })).toThrow(name);
  });

  it('have defaults that are values they may have', () => {
    const defaults = Object.fromEntries(describeTopicConfigs({}).map(({ name, value }) => [name, value]));
    expect(() => checkTopicConfigs(defaults)).not.toThrow();
    expect(topicSettings(defaults)).toEqual(topicSettings({}));
  });

  it('are changed one by one, lists by their elements', async () => {
    const client = await connect(await start());
    const SET = 0;
    const DELETE = 1;
    const APPEND = 2;
    const SUBTRACT = 3;
    const alter = async (changes: readonly (readonly [string, number, string | null])[]) => {
      const answer = await client.ask(44, 0, (writer) => {
        writer.structs(['t'], (name) => {
          writer.int8(2);
          writer.string(name);
          writer.structs(changes, ([key, operation, value]) => {
            writer.string(key);
            writer.int8(operation);
            writer.nullableString(value);
          });
        });
        writer.boolean(false);
      });
      answer?.int32();
      return answer?.structs(() => answer.int16())[0];
    };
    const described = async () => {
      const answer = await client.ask(32, 1, (writer) => {
        writer.structs(['t'], (name) => {
          writer.int8(2);
          writer.string(name);
          writer.array(['cleanup.policy', 'retention.ms'], (key) => writer.string(key));
        });
        writer.boolean(false);
      });
      answer?.int32();
      const [configs] =
        answer?.structs(() => {
          answer.int16();
          answer.nullableString();
          answer.int8();
          answer.string();
          return answer.structs(() => {
            const config = [answer.string(), answer.nullableString()];
            answer.boolean();
            answer.int8();
            answer.boolean();
            answer.structs(() => undefined);
            return config;
          });
        }) ?? [];
      return Object.fromEntries(configs ?? []) as Record<string, string>;
    };
    await client.ask(3, 4, (writer) => {
      writer.array(['t'], (name) => writer.string(name));
      writer.boolean(true);
    });
    const changes = [
      ['retention.ms', SET, '9'],
      ['cleanup.policy', APPEND, 'compact'],
    ] as const;
    expect(await alter(changes)).toBe(0);
    expect(await described()).toEqual({ 'retention.ms': '9', 'cleanup.policy': 'delete,compact' });
    expect(
      await alter([
        ['cleanup.policy', SUBTRACT, 'delete'],
        ['retention.ms', DELETE, null],
      ]),
    ).toBe(0);
    expect(await described()).toEqual({ 'retention.ms': '604800000', 'cleanup.policy': 'compact' });
    expect(await alter([['retention.ms', APPEND, '1']])).toBe(40);
    expect(await alter([['retention.ms', 9, '1']])).toBe(42);
  });
});

function never(): never {
  throw new Error('there is a partition 0');
}
