import kafkajs, { type SASLOptions } from 'kafkajs';
import { describe, expect, it } from 'vitest';

import { embeddedBroker } from '../../support/embedded-broker.ts';
import { askByKafkajs } from '../../support/kafkajs-protocol.ts';
import type { RawClient } from '../../support/raw-client.ts';

const embedded = embeddedBroker();
const VERSIONS = [0, 1, 2, 3, 4, 5];

async function connected() {
  const client = await embedded.connect(await embedded.start());
  const ask = (name: string, version: number, fields: object = {}) =>
    askByKafkajs(client, name, version, fields);
  const topics = [{ topic: 'orders', numPartitions: 2, replicationFactor: 1, configEntries: [] }];
  await ask('createTopics', 2, { topics, validateOnly: false, timeout: 5_000 });
  return { client, ask };
}

type Ask = (name: string, version: number, fields: object) => Promise<object>;

const join = (groupId: string, memberId = '') => ({
  groupId,
  memberId,
  sessionTimeout: 10_000,
  rebalanceTimeout: 10_000,
  protocolType: 'consumer',
  groupProtocols: [{ name: 'range', metadata: Buffer.from('what it wants') }],
});

/** A stable group of one member. */
async function member(
  ask: Ask,
  groupId: string,
  version = 5,
): Promise<{ memberId: string; generationId: number }> {
  const memberId = await ask('joinGroup', version, join(groupId)).then(
    (joined) => (joined as { memberId: string }).memberId,
    (error: unknown) => {
      const { type, memberId: given } = error as { type: string; memberId: string };
      expect(type).toBe('MEMBER_ID_REQUIRED');
      return given;
    },
  );
  const joined = await ask('joinGroup', version, join(groupId, memberId));
  const { generationId } = joined as { generationId: number };
  expect(joined).toMatchObject({ memberId, leaderId: memberId, groupProtocol: 'range' });
  expect(joined).toMatchObject({ members: [{ memberId, memberMetadata: Buffer.from('what it wants') }] });
  const groupAssignment = [{ memberId, memberAssignment: Buffer.from('all') }];
  const synced = await ask('syncGroup', version, { groupId, generationId, memberId, groupAssignment });
  expect(synced).toMatchObject({ memberAssignment: Buffer.from('all') });
  return { memberId, generationId };
}

const offsets = (offset: string, metadata: string | null = 'mark', topic = 'orders', partition = 1) => [
  { topic, partitions: [{ partition, offset, timestamp: '-1', metadata }] },
];
const wanted = [{ topic: 'orders', partitions: [{ partition: 0 }, { partition: 1 }] }];
const fetched = (offset: string, metadata: string) => ({
  responses: [
    {
      topic: 'orders',
      partitions: [
        { partition: 0, offset: '-1', metadata: '', errorCode: 0 },
        { partition: 1, offset, metadata, errorCode: 0 },
      ],
    },
  ],
});

describe('every version that kafkajs knows', () => {
  it.each(VERSIONS)('of the messages of a group: %i', async (version) => {
    const { ask } = await connected();
    const groupId = 'g';
    const found = await ask('findCoordinator', version, { groupId, coordinatorType: 0 });
    expect(found).toMatchObject({ coordinator: { nodeId: 1, host: '127.0.0.1' } });
    const { memberId, generationId } = await member(ask, groupId, version);
    await ask('heartbeat', version, { groupId, groupGenerationId: generationId, memberId });

    const commit = { groupId, groupGenerationId: generationId, memberId, topics: offsets('7') };
    if (version === 0) {
      // In which nobody says who he is.
      await expect(ask('offsetCommit', 0, commit)).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' });
    } else {
      await ask('offsetCommit', version, commit);
      expect(await ask('offsetFetch', version, { groupId, topics: wanted })).toMatchObject(
        fetched('7', 'mark'),
      );
    }

    const described = await ask('describeGroups', version, { groupIds: [groupId] });
    expect(described).toMatchObject({
      groups: [
        {
          groupId,
          state: 'Stable',
          protocolType: 'consumer',
          protocol: 'range',
          members: [
            {
              memberId,
              clientId: 'raw',
              clientHost: '/127.0.0.1',
              memberMetadata: Buffer.from('what it wants'),
              memberAssignment: Buffer.from('all'),
            },
          ],
        },
      ],
    });
    expect(await ask('listGroups', version)).toMatchObject({
      groups: [{ groupId, protocolType: 'consumer' }],
    });
    const deleted = () => ask('deleteGroups', version, [groupId]);
    expect(await deleted()).toMatchObject({ results: [{ error: { type: 'NON_EMPTY_GROUP' } }] });
    await ask('leaveGroup', version, { groupId, memberId });
    expect(await deleted()).toMatchObject({ results: [{ groupId, errorCode: 0 }] });
    expect(await deleted()).toMatchObject({ results: [{ error: { type: 'GROUP_ID_NOT_FOUND' } }] });
    expect(await ask('listGroups', version)).toMatchObject({ groups: [] });
  });

  it.each([0, 1])('of the messages of a transaction: %i', async (version) => {
    const { ask } = await connected();
    const transactionalId = 'tx';
    const begun = await ask('initProducerId', version, { transactionalId, transactionTimeout: 60_000 });
    const { producerId, producerEpoch } = begun as { producerId: string; producerEpoch: number };
    const producer = { transactionalId, producerId, producerEpoch };
    const topics = [{ topic: 'orders', partitions: [1] }];
    await ask('addPartitionsToTxn', version, { ...producer, topics });
    await ask('addOffsetsToTxn', version, { ...producer, groupId: 'g' });
    await ask('txnOffsetCommit', version, { ...producer, groupId: 'g', topics: offsets('5') });
    const committed = () => ask('offsetFetch', 4, { groupId: 'g', topics: wanted });
    expect(await committed()).toMatchObject(fetched('-1', ''));
    await ask('endTxn', version, { ...producer, transactionResult: true });
    expect(await committed()).toMatchObject(fetched('5', 'mark'));
    const late = ask('endTxn', version, {
      ...producer,
      producerEpoch: producerEpoch - 1,
      transactionResult: true,
    });
    // Which a client of these versions does not know as PRODUCER_FENCED.
    await expect(late).rejects.toMatchObject({ type: 'INVALID_PRODUCER_EPOCH' });
    const absent = ask('addPartitionsToTxn', version, {
      ...producer,
      topics: [{ topic: 'none', partitions: [0] }],
    });
    await expect(absent).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' });
    const other = ask('txnOffsetCommit', version, { ...producer, groupId: 'other', topics: offsets('5') });
    await expect(other).rejects.toMatchObject({ type: 'INVALID_TXN_STATE' });
  });
});

describe('offsets', () => {
  it('are refused by partition: no such topic or partition, and metadata that are too long', async () => {
    const { ask } = await connected();
    const commit = (topics: object) =>
      ask('offsetCommit', 5, { groupId: 'g', groupGenerationId: -1, memberId: '', topics });
    for (const [topic, partition] of [['absent', 0] as const, ['orders', 2] as const]) {
      await expect(commit(offsets('1', '', topic, partition))).rejects.toMatchObject({
        type: 'UNKNOWN_TOPIC_OR_PARTITION',
      });
    }
    await commit(offsets('1', 'x'.repeat(4096)));
    const long = commit([...offsets('2', 'x'.repeat(4097)), ...offsets('3', null, 'orders', 0)]);
    await expect(long).rejects.toMatchObject({ type: 'OFFSET_METADATA_TOO_LARGE' });
    const both = await ask('offsetFetch', 4, { groupId: 'g', topics: [] });
    expect(both).toMatchObject({
      responses: [
        {
          topic: 'orders',
          partitions: [
            { partition: 1, offset: '1' },
            { partition: 0, offset: '3', metadata: '' },
          ],
        },
      ],
    });
  });

  it('of a deleted topic are gone, so that one of the same name begins without', async () => {
    const { ask } = await connected();
    const commit = { groupId: 'g', groupGenerationId: -1, memberId: '', topics: offsets('9') };
    await ask('offsetCommit', 5, commit);
    await ask('deleteTopics', 1, { topics: ['orders'], timeout: 5_000 });
    expect(await ask('offsetFetch', 4, { groupId: 'g', topics: [] })).toMatchObject({ responses: [] });
  });
});

it('a join that waits holds up its own connection alone', async () => {
  const broker = await embedded.start();
  const [first, second] = [await embedded.connect(broker), await embedded.connect(broker)];
  const by = (client: RawClient) => (name: string, version: number, fields: object) =>
    askByKafkajs(client, name, version, fields);
  const { memberId, generationId } = await member(by(first), 'g', 3);
  const waiting = by(second)('joinGroup', 3, join('g'));
  const beat = () => by(first)('heartbeat', 3, { groupId: 'g', groupGenerationId: generationId, memberId });
  await expect(beat()).rejects.toMatchObject({ type: 'REBALANCE_IN_PROGRESS' });
  await by(first)('leaveGroup', 3, { groupId: 'g', memberId });
  expect(await waiting).toMatchObject({ errorCode: 0, generationId: generationId + 1 });
});

describe('SASL', () => {
  const login = async (address: string, sasl?: SASLOptions) => {
    const kafka = new kafkajs.Kafka({
      brokers: [address],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 0 },
      ...(sasl === undefined ? {} : { sasl }),
    });
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await admin.listTopics();
    } finally {
      await admin.disconnect();
    }
  };
  const users = new Map([['alice', 'se,c=ret']]);
  /** kafkajs leaves it to each mechanism to write its length. */
  const token = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'lets in by %s who knows the password',
    async (mechanism) => {
      const { address } = await embedded.start({ users });
      expect(await login(address, { mechanism, username: 'alice', password: 'se,c=ret' })).toEqual([]);
      for (const [username, password] of [['alice', 'secret'] as const, ['bob', 'se,c=ret'] as const]) {
        await expect(login(address, { mechanism, username, password })).rejects.toThrow(
          /authentication failed/i,
        );
      }
    },
  );

  it('answers nothing else before, and names what it can when asked for something else', async () => {
    const broker = await embedded.start({ users });
    await expect(login(broker.address)).rejects.toThrow(/closed/i);
    const client = await embedded.connect(broker);
    const ask = (name: string, version: number, fields: object) =>
      askByKafkajs(client, name, version, fields);
    await expect(ask('saslAuthenticate', 1, { authBytes: token('\0alice\0se,c=ret') })).rejects.toMatchObject(
      {
        type: 'ILLEGAL_SASL_STATE',
      },
    );
    for (const [mechanism, version] of [['GSSAPI', 1] as const, ['PLAIN', 0] as const]) {
      await expect(ask('saslHandshake', version, { mechanism })).rejects.toMatchObject({
        type: 'UNSUPPORTED_SASL_MECHANISM',
      });
    }
    expect(await ask('saslHandshake', 1, { mechanism: 'PLAIN' })).toMatchObject({
      enabledMechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
    });
    await expect(ask('saslAuthenticate', 0, { authBytes: token('\0alice\0no') })).rejects.toThrow();
    await client.closed;
  });

  it('is refused where nobody has to say who it is', async () => {
    const { address } = await embedded.start();
    const refused = login(address, { mechanism: 'plain', username: 'alice', password: 'x' });
    await expect(refused).rejects.toMatchObject({ type: 'ILLEGAL_SASL_STATE' });
  });
});
