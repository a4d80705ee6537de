import { randomUUID } from 'node:crypto';
import path from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import type { DevBroker } from '../../src/dev-broker/dev-broker.ts';
import { embeddedBroker } from '../support/embedded-broker.ts';
import { withoutKafkaTools } from '../support/kafka-tool.ts';
import { must, runPython, withoutKcat, withoutPython } from '../support/peers.ts';

const PEERS = path.resolve(import.meta.dirname, '../e2e/peers');
const KAFKA = path.resolve(import.meta.dirname, '../../deploy/kafka/kafka.mjs');

const name = (prefix: string) => `${prefix}-${randomUUID().slice(0, 8)}`;
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

const embedded = embeddedBroker();
let broker: DevBroker;
beforeEach(async () => {
  broker = await embedded.start({ defaultPartitions: 3 });
});

describe.skipIf(withoutKcat)('kcat', () => {
  const kcat = (args: readonly string[], input = '') => must('kcat', ['-b', broker.address, ...args], input);

  it('produces, consumes, lists and asks for offsets by time', async () => {
    const topic = name('kcat');
    for (const codec of ['none', 'gzip', 'snappy', 'lz4']) {
      await kcat(['-P', '-t', topic, '-p', '1', '-K:', '-z', codec], `key:${codec}\n`);
    }
    const listed = await kcat(['-L', '-t', topic]);
    expect(listed).toContain(`topic "${topic}" with 3 partitions`);
    const read = await kcat(['-C', '-t', topic, '-p', '1', '-o', 'beginning', '-e', '-f', '%o %k %s\n']);
    expect(lines(read)).toEqual(['0 key none', '1 key gzip', '2 key snappy', '3 key lz4']);
    expect(await kcat(['-Q', '-t', `${topic}:1:1`])).toContain(`${topic} [1] offset 0`);
    expect(await kcat(['-Q', '-t', `${topic}:1:9999999999999`])).toMatch(/offset (4|-1)/);
    expect(await kcat(['-Q', '-t', `${topic}:1:-2`])).toContain('offset 0');
  });

  it('consumes in a group, which goes on where it stopped', async () => {
    const topic = name('kcat');
    const group = name('group');
    const consume = () =>
      kcat(['-G', group, '-e', '-q', '-X', 'auto.offset.reset=earliest', '-f', '%s\n', topic]);
    await kcat(['-P', '-t', topic], 'a\nb\nc\n');
    expect(lines(await consume()).sort()).toEqual(['a', 'b', 'c']);
    await kcat(['-P', '-t', topic], 'd\n');
    expect(lines(await consume())).toEqual(['d']);
  });

  // Not by SCRAM: the librdkafka of many a kcat answers with the nonce twice, which Kafka refuses since 3.7.2.
  it('proves who it is by PLAIN', async () => {
    const secured = await embedded.start({ users: new Map([['alice', 'secret']]) });
    const settings = (password: string) =>
      ['security.protocol=sasl_plaintext', 'sasl.mechanism=PLAIN', 'sasl.username=alice']
        .concat(`sasl.password=${password}`)
        .flatMap((setting) => ['-X', setting]);
    const as = (password: string) => must('kcat', ['-b', secured.address, '-L', ...settings(password)], '');
    expect(await as('secret')).toContain('1 brokers');
    await expect(as('wrong')).rejects.toThrow(/authentication failed/i);
    await expect(must('kcat', ['-b', secured.address, '-L', '-m', '2'], '')).rejects.toThrow(/ended with 1/);
  });
});

interface Members {
  readonly phases: readonly (readonly number[])[];
  readonly times_read: Readonly<Record<string, number>>;
  readonly committed: Readonly<Record<string, number>>;
}

interface Moves {
  readonly moved: readonly string[];
  readonly committed_after: readonly number[];
  readonly fenced: string;
  readonly read_committed: readonly string[];
  readonly read_uncommitted: number;
}

describe.skipIf(withoutPython)('confluent-kafka', () => {
  it.each(['range', 'cooperative-sticky'])(
    'has three members come and go, who share by %s',
    async (strategy) => {
      const topic = name('shared');
      const [partitions, records] = [6, 300];
      await runPython(path.join(PEERS, 'fill.py'), {
        brokers: broker.address,
        topics: { [topic]: partitions },
        records,
      });
      const job = { brokers: broker.address, topic, group: name('group'), partitions, records, strategy };
      const seen = (await runPython(path.join(PEERS, 'members.py'), job)) as Members;
      expect(seen.phases).toEqual([[6], [3, 3], [2, 2, 2], [3, 3]]);
      expect(Object.keys(seen.times_read)).toHaveLength(records);
      // Below zero for a partition that got none of the records, and so no commit.
      const committed = Object.values(seen.committed).filter((offset) => offset >= 0);
      expect(committed.reduce((sum, offset) => sum + offset, 0)).toBe(records);
    },
  );

  it('produces idempotently and compressed, and moves records in transactions', async () => {
    const [input, output, group] = [name('in'), name('out'), name('group')];
    const topics = { [input]: 1, [output]: 1 };
    await runPython(path.join(PEERS, 'fill.py'), { brokers: broker.address, topics, records: 0 });
    const job = { brokers: broker.address, input, output, group };
    const seen = (await runPython(path.join(PEERS, 'transactions.py'), job)) as Moves;
    const sent = ['none', 'gzip', 'snappy', 'lz4', 'zstd'].flatMap((codec) => [`${codec}-0`, `${codec}-1`]);
    expect(seen.moved).toEqual(sent);
    // -1001: librdkafka's "no offset".
    expect(seen.committed_after).toEqual([-1001, 10]);
    expect(seen.fenced).toBe('_FENCED');
    expect(seen.read_committed).toEqual(sent.map((value) => `committed ${value}`));
    expect(seen.read_uncommitted).toBe(21);
  });

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('proves who it is by %s', async (mechanism) => {
    const secured = await embedded.start({ users: new Map([['alice', 'secret']]) });
    const as = (password: string) =>
      runPython(path.join(PEERS, 'login.py'), {
        brokers: secured.address,
        mechanism,
        user: 'alice',
        password,
      });
    expect(await as('secret')).toBe('1 broker');
    expect(await as('wrong')).toMatch(/authentication failed/i);
  });
});

describe.skipIf(withoutKafkaTools)("Kafka's own tools", () => {
  const tool = (tool: string, args: readonly string[], input = '') =>
    must(process.execPath, [KAFKA, 'tool', tool, '--bootstrap-server', broker.address, ...args], input);

  it('make topics, fill and read them in a group, and describe, move and delete the group', async () => {
    const topic = name('java');
    const group = name('group');
    await tool('topics', [
      '--create',
      '--topic',
      topic,
      '--partitions',
      '1',
      '--config',
      'retention.ms=60000',
    ]);
    expect(await tool('topics', ['--describe', '--topic', topic])).toMatch(
      /PartitionCount: 1.*retention\.ms=60000/,
    );
    await tool('console-producer', ['--topic', topic, '--property', 'parse.key=true'], 'k\ta\nk\tb\nk\tc\n');
    const consume = (count: number) =>
      tool('console-consumer', [
        '--topic',
        topic,
        '--group',
        group,
        '--from-beginning',
        '--timeout-ms',
        '20000',
        '--max-messages',
        String(count),
      ]);
    expect(lines(await consume(3))).toEqual(['a', 'b', 'c']);

    const groups = (...args: string[]) => tool('consumer-groups', ['--group', group, ...args]);
    expect(await tool('consumer-groups', ['--list'])).toContain(group);
    expect(await groups('--describe')).toMatch(new RegExp(`${group}\\s+${topic}\\s+0\\s+3\\s+3\\s+0\\s`));
    expect(await groups('--describe', '--state')).toMatch(/Empty\s+0/);
    const reset = await groups('--reset-offsets', '--to-offset', '1', '--topic', topic, '--execute');
    expect(reset).toMatch(new RegExp(`${topic}\\s+0\\s+1\\s`));
    expect(lines(await consume(2))).toEqual(['b', 'c']);
    await groups('--delete-offsets', '--topic', topic);
    expect(await groups('--describe', '--offsets')).not.toContain(topic);
    await groups('--delete');
    expect(await tool('consumer-groups', ['--list'])).not.toContain(group);
    await tool('topics', ['--delete', '--topic', topic]);
    expect(await tool('topics', ['--list'])).not.toContain(topic);
  }, 300_000);

  it('send fast, also in transactions, which can be looked at', async () => {
    const topic = name('fast');
    const transactionalId = name('perf');
    await tool('topics', ['--create', '--topic', topic, '--partitions', '2']);
    const send = ['--topic', topic, '--num-records', '5000', '--record-size', '100', '--throughput', '-1'];
    const sent = await tool('producer-perf-test', [
      ...send,
      '--transactional-id',
      transactionalId,
      '--transaction-duration-ms',
      '50',
    ]);
    expect(sent).toContain('5000 records sent');
    const listed = await tool('transactions', ['list']);
    expect(listed).toMatch(new RegExp(`${transactionalId}\\s+1\\s+\\d+\\s+CompleteCommit`));
    const described = await tool('transactions', ['describe', '--transactional-id', transactionalId]);
    expect(described).toContain('CompleteCommit');
    const read = await tool('console-consumer', [
      '--topic',
      topic,
      '--from-beginning',
      '--max-messages',
      '5000',
      '--timeout-ms',
      '20000',
      '--isolation-level',
      'read_committed',
    ]);
    expect(lines(read)).toHaveLength(5000);
  }, 120_000);
});
