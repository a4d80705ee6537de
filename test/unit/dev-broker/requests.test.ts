import { describe, expect, it } from 'vitest';

import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { body, fetched, produced, type FetchOptions, type RawClient } from '../../support/raw-client.ts';
import { recordBatch, valuesOf, type BatchOptions } from '../../support/record-batches.ts';

const { start, connect } = embeddedBroker();

async function topicOn(broker: Awaited<ReturnType<typeof start>>) {
  const client = await connect(broker);
  await client.ask(3, 4, body.metadata(['t']));
  return {
    client,
    send: async (options: BatchOptions, version = 7) =>
      produced(await client.ask(0, version, body.produce('t', recordBatch(options)))),
    fetch: async (offset: number, options: FetchOptions = {}, of: RawClient = client) =>
      fetched(await of.ask(1, 11, body.fetch('t', offset, options))),
  };
}

describe('Produce', () => {
  it('answers the repetition of a batch with where the first one is', async () => {
    const { send, fetch } = await topicOn(await start());
    const batch = { values: ['a', 'b'], producerId: 9, epoch: 0, sequence: 0 };
    expect(await send(batch)).toMatchObject({ error: ERROR.NONE, baseOffset: 0 });
    expect(await send({ ...batch, values: ['c'], sequence: 2 })).toMatchObject({ baseOffset: 2 });
    expect(await send(batch)).toMatchObject({ error: ERROR.NONE, baseOffset: 0 });
    expect(await send({ ...batch, sequence: 7 })).toMatchObject({
      error: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER,
    });
    expect(valuesOf((await fetch(0)).records)).toEqual(['a', 'b', 'c']);
  });

  it('takes nothing into a transaction that is not open: nobody would ever end it', async () => {
    const { send } = await topicOn(await start());
    const batch = { values: ['a'], producerId: 9, epoch: 0, sequence: 0, transactional: true };
    expect((await send(batch)).error).not.toBe(ERROR.NONE);
  });

  it('says of each partition what is wrong, and stores what is right', async () => {
    const { client, send, fetch } = await topicOn(await start());
    expect(produced(await client.ask(0, 7, body.produce('t', null)))).toMatchObject({
      error: ERROR.INVALID_RECORD,
    });
    const unknown = await client.ask(0, 7, body.produce('nobody', recordBatch({ values: ['a'] })));
    expect(produced(unknown)).toMatchObject({ error: ERROR.UNKNOWN_TOPIC_OR_PARTITION, baseOffset: -1 });
    const acks = await client.ask(0, 7, body.produce('t', recordBatch({ values: ['a'] }), 2));
    expect(produced(acks)).toMatchObject({ error: ERROR.INVALID_REQUIRED_ACKS });
    await send({ values: ['right'] });
    expect(valuesOf((await fetch(0)).records)).toEqual(['right']);
  });

  it.each(['none', 'gzip'] as const)(
    'takes no record without a key into a compacted topic, and names those that it refuses: %s',
    async (compression) => {
      const client = await connect(await start());
      await client.ask(19, 4, (writer) => {
        writer.structs(['t'], (name) => {
          writer.string(name);
          writer.int32(1);
          writer.int16(1);
          writer.structs([], () => undefined);
          writer.structs([['cleanup.policy', 'compact,delete'] as const], (config) => {
            for (const text of config) writer.nullableString(text);
          });
        });
        writer.int32(1_000);
        writer.boolean(false);
      });
      const send = async (keys: (string | null)[], version: number) =>
        client.ask(
          0,
          version,
          body.produce('t', recordBatch({ values: keys.map(() => 'v'), keys, compression })),
        );
      expect(produced(await send(['a', null, 'b'], 7))).toMatchObject({
        error: ERROR.INVALID_RECORD,
        baseOffset: -1,
      });
      const answer = await send(['a', null, 'b', null], 8);
      expect(produced(answer)).toMatchObject({ error: ERROR.INVALID_RECORD });
      // Behind what is there in every version.
      expect(answer?.structs(() => [answer.int32(), answer.nullableString()])).toEqual([
        [1, expect.stringContaining('without key')],
        [3, expect.stringContaining('without key')],
      ]);
      expect(produced(await send(['a', '', 'b'], 7))).toMatchObject({ error: ERROR.NONE, baseOffset: 0 });
    },
  );

  it('does not answer acks=0, and ends the connection when it fails', async () => {
    const broker = await start();
    const { client, fetch } = await topicOn(broker);
    client.send(client.request(0, 7, body.produce('t', recordBatch({ values: ['a'] }), 0)));
    expect(valuesOf((await fetch(0)).records)).toEqual(['a']);
    client.send(client.request(0, 7, body.produce('nobody', recordBatch({ values: ['a'] }), 0)));
    await client.closed;
  });
});

describe('Fetch', () => {
  it('waits for enough bytes and wakes with them, not by looking again and again', async () => {
    const broker = await start();
    const { send, fetch } = await topicOn(broker);
    const other = await connect(broker);
    const waiting = fetch(0, { maxWaitMs: 60_000, minBytes: 150 }, other);
    await send({ values: ['a'] });
    // One batch is not enough; it is still waiting, or it would have only this one.
    await send({ values: ['b'] });
    await send({ values: ['c'] });
    expect(valuesOf((await waiting).records).length).toBeGreaterThan(1);
  });

  it('gives what there is when the time is over', async () => {
    const { send, fetch } = await topicOn(await start());
    await send({ values: ['a'] });
    expect(valuesOf((await fetch(0, { maxWaitMs: 20, minBytes: 1e6 })).records)).toEqual(['a']);
    expect((await fetch(1, { maxWaitMs: 20 })).records).toHaveLength(0);
  });

  it('does not wait where something is wrong', async () => {
    const { send, fetch, client } = await topicOn(await start());
    await send({ values: ['a'] });
    const waitLong = { maxWaitMs: 60_000, minBytes: 1e6 };
    expect(await fetch(2, waitLong)).toMatchObject({ error: ERROR.OFFSET_OUT_OF_RANGE });
    expect(await fetch(0, { ...waitLong, leaderEpoch: 4 })).toMatchObject({
      error: ERROR.UNKNOWN_LEADER_EPOCH,
    });
    expect(await fetch(0, { ...waitLong, sessionId: 5 })).toMatchObject({
      requestError: ERROR.FETCH_SESSION_ID_NOT_FOUND,
    });
    const unknown = fetched(await client.ask(1, 11, body.fetch('nobody', 0, waitLong)));
    expect(unknown.error).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('wakes when its topic is deleted', async () => {
    const broker = await start();
    const { fetch } = await topicOn(broker);
    const other = await connect(broker);
    const waiting = fetch(0, { maxWaitMs: 60_000 });
    await other.ask(20, 1, (writer) => {
      writer.array(['t'], (name) => writer.string(name));
      writer.int32(1_000);
    });
    expect((await waiting).error).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('does not give zstd to a client that is too old for it', async () => {
    const { client, send } = await topicOn(await start());
    const zstd = { values: ['a'], compression: 'zstd' } as const;
    expect(await send(zstd)).toMatchObject({ error: ERROR.NONE });
    const answer = await client.ask(1, 4, (writer) => {
      for (const number of [-1, 0, 1, 1e6]) writer.int32(number);
      writer.int8(0);
      writer.structs(['t'], (name) => {
        writer.string(name);
        writer.structs([0], (index) => {
          writer.int32(index);
          writer.int64(0);
          writer.int32(1e6);
        });
      });
    });
    answer?.int32(); // throttle time
    answer?.int32(); // one topic
    answer?.string();
    answer?.int32(); // one partition
    answer?.int32();
    expect(answer?.int16()).toBe(ERROR.UNSUPPORTED_COMPRESSION_TYPE);
  });
});
