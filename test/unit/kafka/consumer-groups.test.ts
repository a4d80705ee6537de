import { describe, expect, it } from 'vitest';
import { decodeSubscription, encodeSubscription } from '../../../src/adapters/kafka/consume/assigner.ts';
import type { KafkaClient } from '../../../src/adapters/kafka/protocol/client.ts';
import { describeGroup, groupInUse } from '../../../src/adapters/kafka/admin/groups.ts';
import type { BrokerNode, ProtocolRequest } from '../../../src/adapters/kafka/protocol/kafkajs.ts';
import { Writer } from '../../../src/dev-broker/wire/writer.ts';
import { fixText } from '../../support/ways-out.ts';

/** ConsumerGroupDescribe, version 0, answered: one member that has partitions, after the tags of the header. */
function answerOf(errorCode: number): Buffer {
  const writer = new Writer();
  writer.flexible = true;
  const assignment = (): void => {
    const topics = [{ name: 'orders', partitions: [0, 300] }];
    writer.structs(topics, ({ name, partitions }) => {
      writer.uuid('AAAAAAAAAAAAAAAAAAAAAA');
      writer.string(name);
      writer.array(partitions, (partition) => writer.int32(partition));
    });
    writer.noTags();
  };
  // A field that a newer broker adds: tag 5, of two bytes.
  for (const byte of [1, 5, 2, 7, 7]) writer.int8(byte);
  writer.int32(0);
  writer.structs(['g'], (group) => {
    writer.int16(errorCode);
    writer.nullableString(null);
    writer.string(group);
    writer.string(errorCode === 0 ? 'Stable' : '');
    writer.int32(4);
    writer.int32(4);
    writer.string('uniform');
    writer.structs(errorCode === 0 ? ['m'] : [], (memberId) => {
      writer.string(memberId);
      writer.nullableString(null);
      writer.nullableString('rack');
      writer.int32(4);
      writer.string('console-consumer');
      writer.string('/10.0.0.7');
      writer.array(['orders'], (topic) => writer.string(topic));
      writer.nullableString(null);
      assignment();
      assignment();
    });
    writer.int32(-2_147_483_648);
  });
  writer.noTags();
  return Buffer.concat(writer.finish()).subarray(4);
}

interface Script {
  readonly state: string;
  readonly members?: readonly object[];
  /** null: not offered. */
  readonly errorCode: number | null;
}

/** A coordinator that answers so. @returns what it was asked, in hexadecimal */
function coordinator({ state, members = [], errorCode }: Script): { client: KafkaClient; asked: string[] } {
  const asked: string[] = [];
  const node = {
    versions: errorCode === null ? {} : { 69: { minVersion: 0, maxVersion: 1 } },
    describeGroups: async () => ({ groups: [{ groupId: 'g', state, members }] }),
    connectionPool: {
      send: async <D, P>({ request, response }: ProtocolRequest<D, P>): Promise<P> => {
        asked.push(
          `${request.apiKey} v${request.apiVersion} ${(await request.encode()).buffer.toString('hex')}`,
        );
        return response.parse(await response.decode(answerOf(errorCode ?? 0)));
      },
    },
  } as unknown as BrokerNode;
  const client = { coordinator: async () => node } as unknown as KafkaClient;
  return { client, asked };
}

const ABOUT = { process: 'boot/pid:[1]/7/8', sessionTimeoutMs: 6_000 };

describe('the description of a group', () => {
  it('has the members of the protocol of KIP-848, of which the older request says that there are none', async () => {
    const { client, asked } = coordinator({ state: 'Dead', errorCode: 0 });
    expect(await describeGroup(client, 'g')).toEqual({
      state: 'Stable',
      members: [
        {
          memberId: 'm',
          clientId: 'console-consumer',
          host: '10.0.0.7',
          process: null,
          sessionTimeoutMs: null,
        },
      ],
    });
    // Tags of the header, one group (2), `g` (2), no operations, no tags.
    expect(asked).toEqual(['69 v0 000202670000']);
  });

  it.each([
    ['there is no such group', 69],
    ['the cluster has no such groups', 35],
    ['the brokers do not know the request', null],
  ])('is that of none where %s', async (_, errorCode) => {
    const { client, asked } = coordinator({ state: 'Dead', errorCode });
    expect(await describeGroup(client, 'g')).toEqual({ state: 'Dead', members: [] });
    expect(asked).toHaveLength(errorCode === null ? 0 : 1);
  });

  it('is not taken for none when it is refused', async () => {
    const { client } = coordinator({ state: 'Dead', errorCode: 30 });
    await expect(describeGroup(client, 'g')).rejects.toMatchObject({ type: 'GROUP_AUTHORIZATION_FAILED' });
  });

  it('says what our members said of themselves, and of others that it is not known', async () => {
    const member = { memberId: 'm', clientId: 'c', clientHost: '/h' };
    const { client, asked } = coordinator({
      state: 'Stable',
      members: [
        { ...member, memberMetadata: encodeSubscription(['orders'], ABOUT) },
        { ...member, memberMetadata: Buffer.alloc(0) },
        { ...member, memberMetadata: Buffer.from('ffff', 'hex') },
      ],
      errorCode: 0,
    });
    const { members } = await describeGroup(client, 'g');
    const unknown = { process: null, sessionTimeoutMs: null };
    expect(members).toMatchObject([ABOUT, unknown, unknown]);
    expect(asked).toEqual([]);
  });
});

it.each(['null', '7', '{}', '{"process":3,"sessionTimeoutMs":"x"}', '{', ''])(
  '%j says nothing of a member',
  (text) => {
    const bytes = encodeSubscription(['orders'], ABOUT);
    const from = bytes.indexOf('{');
    const other = Buffer.concat([bytes.subarray(0, from), Buffer.from(text)]);
    other.writeInt32BE(Buffer.byteLength(text), from - 4);
    expect(decodeSubscription(other)).toEqual({ process: null, sessionTimeoutMs: null });
  },
);

it('a member with the id of our folder is a copy of it', () => {
  const member = { memberId: 'm', clientId: 'orderctl:1', host: 'h', process: null, sessionTimeoutMs: null };
  const group = { state: 'Stable', members: [member] };
  expect(fixText(groupInUse('g', group, 'orderctl:1'))).toContain('--new-id');
  expect(groupInUse('g', group, 'orderctl:2')).toMatchObject({
    message: 'group g is in use by orderctl:1 on h',
  });
});
