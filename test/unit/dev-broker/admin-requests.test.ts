import { describe, expect, it } from 'vitest';
import type { PartitionOffset } from '../../../src/dev-broker/groups/offsets.ts';
import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import { Writer } from '../../../src/dev-broker/wire/writer.ts';
import { openedBroker } from '../../support/ask-broker.ts';
import { joining } from './group-requests.ts';

/* What the tools of administrators ask: the answers are those of Kafka's protocol, field by field. */

const dev = openedBroker();
const { append, ask } = dev;

/** The topics and partitions of many requests; `extra` writes what a partition has behind its number. */
function topics(wanted: Record<string, number[]>, extra: (writer: Writer) => void = () => undefined) {
  return (writer: Writer) =>
    writer.structs(Object.entries(wanted), ([name, partitions]) => {
      writer.string(name);
      writer.structs(partitions, (partition) => {
        writer.int32(partition);
        extra(writer);
      });
    });
}

describe('OffsetDelete', () => {
  const committed = (topic: string, partition: number): PartitionOffset => ({
    topic,
    partition,
    offset: 7,
    leaderEpoch: -1,
    metadata: '',
    committedAt: Date.now(),
  });

  function commit(offsets: readonly PartitionOffset[]): void {
    const nobody = { memberId: '', instanceId: null, generation: -1 };
    const options = { transactional: false, unknownGroup: ERROR.ILLEGAL_GENERATION };
    expect(dev.broker.groups.checkCommit('g', nobody, options)).toBe(ERROR.NONE);
    dev.broker.groups.offsets.commit('g', offsets);
  }

  async function remove(groupId: string, wanted: Record<string, number[]>) {
    const reader = await ask(47, 0, (writer) => {
      writer.string(groupId);
      topics(wanted)(writer);
    });
    const error = reader.int16();
    reader.int32();
    const errors = reader.structs(() => ({
      topic: reader.string(),
      errors: reader.structs(() => [reader.int32(), reader.int16()]),
    }));
    return { error, errors };
  }

  const left = (): string[] =>
    dev.broker.groups.offsets.of('g').map((one) => `${one.topic}/${one.partition}`);

  it('removes the offsets that are named from a group at rest, and no others', async () => {
    commit([committed('t', 0), committed('t', 1), committed('other', 0)]);
    expect(await remove('g', { t: [1], other: [0, 5], gone: [0] })).toEqual({
      error: ERROR.NONE,
      errors: [
        { topic: 't', errors: [[1, ERROR.NONE]] },
        {
          topic: 'other',
          errors: [
            [0, ERROR.NONE],
            [5, ERROR.UNKNOWN_TOPIC_OR_PARTITION],
          ],
        },
        { topic: 'gone', errors: [[0, ERROR.UNKNOWN_TOPIC_OR_PARTITION]] },
      ],
    });
    expect(left()).toEqual(['t/0']);
  });

  it('knows no group that is not there', async () => {
    expect(await remove('nobody', { t: [0] })).toEqual({ error: ERROR.GROUP_ID_NOT_FOUND, errors: [] });
  });

  /** ConsumerProtocolSubscription, version 0. */
  function subscription(...names: string[]): string {
    const writer = new Writer();
    writer.int16(0);
    writer.array(names, (name) => writer.string(name));
    writer.bytes(Buffer.alloc(0));
    return Buffer.concat(writer.finish()).subarray(4).toString('latin1');
  }

  async function join(metadata: string, protocolType = 'consumer'): Promise<void> {
    const protocols = [{ name: 'range', metadata: Buffer.from(metadata, 'latin1') }];
    void dev.broker.groups.join('g', joining('', { protocolType, protocols, idFirst: false }));
    await new Promise(setImmediate);
    expect(dev.broker.groups.get('g')?.members).toHaveLength(1);
  }

  it('keeps those of the topics that a running group reads', async () => {
    commit([committed('t', 0), committed('other', 0)]);
    await join(subscription('t'));
    expect(await remove('g', { t: [0], other: [0] })).toEqual({
      error: ERROR.NONE,
      errors: [
        { topic: 't', errors: [[0, ERROR.GROUP_SUBSCRIBED_TO_TOPIC]] },
        { topic: 'other', errors: [[0, ERROR.NONE]] },
      ],
    });
    expect(left()).toEqual(['t/0']);
  });

  it.each([
    ['does not say what it reads', '', 'consumer'],
    ['is no group of consumers', subscription('x'), 'connect'],
  ])('removes nothing of a running group that %s', async (_, metadata, protocolType) => {
    commit([committed('t', 0)]);
    await join(metadata, protocolType);
    expect(await remove('g', { t: [0] })).toEqual({ error: ERROR.NON_EMPTY_GROUP, errors: [] });
    expect(left()).toEqual(['t/0']);
  });
});

describe('OffsetForLeaderEpoch', () => {
  async function endOf(partition: number, currentEpoch: number, epoch: number, version = 2) {
    const reader = await ask(23, version, (writer) => {
      if (version >= 3) writer.int32(-1);
      topics({ t: [partition] }, () => {
        writer.int32(currentEpoch);
        writer.int32(epoch);
      })(writer);
    });
    reader.int32();
    const [topic] = reader.structs(() => {
      reader.string();
      return reader.structs(() => ({
        error: reader.int16(),
        partition: reader.int32(),
        epoch: reader.int32(),
        endOffset: reader.int64(),
      }));
    });
    return topic?.[0];
  }

  it.each([2, 3, 4])('tells the end of the only epoch there is (version %i)', async (version) => {
    append('t', 0, { values: ['a', 'b', 'c'] });
    const end = { error: ERROR.NONE, partition: 0, epoch: 0, endOffset: 3 };
    expect(await endOf(0, -1, 0, version)).toEqual(end);
    expect(await endOf(0, 0, 0, version)).toEqual(end);
  });

  it('knows no other epoch, and no client whose own is of another cluster', async () => {
    const none = { epoch: -1, endOffset: -1 };
    expect(await endOf(0, -1, 5)).toMatchObject({ error: ERROR.NONE, ...none });
    expect(await endOf(0, 5, 0)).toMatchObject({ error: ERROR.UNKNOWN_LEADER_EPOCH, ...none });
    expect(await endOf(0, -2, 0)).toMatchObject({ error: ERROR.FENCED_LEADER_EPOCH, ...none });
    expect(await endOf(9, -1, 0)).toMatchObject({ error: ERROR.UNKNOWN_TOPIC_OR_PARTITION, ...none });
  });
});

describe('transactions', () => {
  function open(id: string, partitions: readonly { topic: string; partition: number }[]) {
    const { producer } = dev.broker.transactions.initialize(id, { producerId: -1, epoch: -1 }, 60_000);
    expect(dev.broker.transactions.add(id, producer, { partitions })).toBe(ERROR.NONE);
    return producer;
  }

  async function describeTransactions(...ids: string[]) {
    const reader = await ask(65, 0, (writer) => writer.array(ids, (id) => writer.string(id)));
    reader.int32();
    return reader.structs(() => ({
      error: reader.int16(),
      id: reader.string(),
      state: reader.string(),
      timeoutMs: reader.int32(),
      startedAt: reader.int64(),
      producerId: reader.int64(),
      epoch: reader.int16(),
      topics: reader.structs(() => [reader.string(), reader.array(() => reader.int32())]),
    }));
  }

  async function list({
    states = [] as string[],
    producerIds = [] as number[],
    longerThanMs = -1,
    version = 1,
  } = {}) {
    const reader = await ask(66, version, (writer) => {
      writer.array(states, (state) => writer.string(state));
      writer.array(producerIds, (id) => writer.int64(id));
      if (version >= 1) writer.int64(longerThanMs);
    });
    reader.int32();
    return {
      error: reader.int16(),
      unknownStates: reader.array(() => reader.string()),
      ids: reader.structs(() => [reader.string(), reader.int64(), reader.string()]),
    };
  }

  it('are described with their partitions by topic', async () => {
    const before = Date.now();
    const producer = open('tx', [
      { topic: 't', partition: 1 },
      { topic: 'other', partition: 0 },
      { topic: 't', partition: 0 },
    ]);
    const [tx, nobody] = await describeTransactions('tx', 'nobody');
    expect(tx).toEqual({
      error: ERROR.NONE,
      id: 'tx',
      state: 'Ongoing',
      timeoutMs: 60_000,
      startedAt: expect.any(Number) as number,
      producerId: producer.producerId,
      epoch: producer.epoch,
      topics: [
        ['t', [1, 0]],
        ['other', [0]],
      ],
    });
    expect(tx?.startedAt).toBeGreaterThanOrEqual(before);
    expect(nobody).toEqual({
      error: ERROR.TRANSACTIONAL_ID_NOT_FOUND,
      id: 'nobody',
      state: '',
      timeoutMs: 0,
      startedAt: -1,
      producerId: -1,
      epoch: -1,
      topics: [],
    });
  });

  it('are listed by state, producer and age', async () => {
    const first = open('a', [{ topic: 't', partition: 0 }]);
    const second = open('b', [{ topic: 't', partition: 1 }]);
    dev.broker.transactions.end('b', second, true);
    const a = ['a', first.producerId, 'Ongoing'];
    const b = ['b', second.producerId, 'CompleteCommit'];
    expect(await list({ version: 0 })).toEqual({ error: ERROR.NONE, unknownStates: [], ids: [a, b] });
    expect((await list({ states: ['CompleteCommit'] })).ids).toEqual([b]);
    expect(await list({ states: ['Ongoing', 'Sleeping'] })).toMatchObject({
      unknownStates: ['Sleeping'],
      ids: [a],
    });
    expect((await list({ producerIds: [second.producerId] })).ids).toEqual([b]);
    expect((await list({ longerThanMs: 3_600_000 })).ids).toEqual([]);
  });

  it('and producers are described by partition, with where an open transaction began', async () => {
    const producer = open('tx', [{ topic: 't', partition: 0 }]);
    append('t', 0, { values: ['plain'] });
    append('t', 0, { values: ['x', 'y'], timestamps: 5_000, ...producer, sequence: 0, transactional: true });
    append('t', 0, { values: ['z'], timestamps: 6_000, producerId: 77, epoch: 2, sequence: 0 });
    const reader = await ask(61, 0, (writer) =>
      writer.structs(['t'], (name) => {
        writer.string(name);
        writer.array([0, 1, 9], (index) => writer.int32(index));
      }),
    );
    reader.int32();
    const [partitions] = reader.structs(() => {
      reader.string();
      return reader.structs(() => {
        const [index, error] = [reader.int32(), reader.int16()];
        reader.nullableString();
        const producers = reader.structs(() => ({
          producerId: reader.int64(),
          epoch: reader.int32(),
          lastSequence: reader.int32(),
          lastTimestamp: reader.int64(),
          coordinatorEpoch: reader.int32(),
          transactionStart: reader.int64(),
        }));
        return { index, error, producers };
      });
    });
    expect(partitions).toEqual([
      {
        index: 0,
        error: ERROR.NONE,
        producers: [
          {
            producerId: producer.producerId,
            epoch: producer.epoch,
            lastSequence: 1,
            lastTimestamp: 5_000,
            coordinatorEpoch: 0,
            transactionStart: 1,
          },
          {
            producerId: 77,
            epoch: 2,
            lastSequence: 0,
            lastTimestamp: 6_000,
            coordinatorEpoch: 0,
            transactionStart: -1,
          },
        ],
      },
      { index: 1, error: ERROR.NONE, producers: [] },
      { index: 9, error: ERROR.UNKNOWN_TOPIC_OR_PARTITION, producers: [] },
    ]);
  });
});
