import { randomInt } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import type { DevBroker } from '../../../src/dev-broker/dev-broker.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { body, produced, type RawClient } from '../../support/raw-client.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { waitFor } from '../../support/wait.ts';

const { start, connect } = embeddedBroker();

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const API_VERSIONS = 18;
const METADATA = 3;
const PRODUCE = 0;

async function isServed(broker: DevBroker): Promise<boolean> {
  const client = await connect(broker);
  const answer = await client.ask(API_VERSIONS, 0);
  client.end();
  return answer?.int16() === ERROR.NONE;
}

describe('what a connection answers', () => {
  it('tells its versions, also to a client that is newer, in the oldest format', async () => {
    const client = await connect(await start());
    const ranges = async (version: number) => {
      const answer = await client.ask(API_VERSIONS, version);
      const error = answer?.int16();
      const apis = answer?.structs(() => ({ key: answer.int16(), min: answer.int16(), max: answer.int16() }));
      expect(answer?.remaining).toBe(0);
      return { error, apis };
    };
    const known = await ranges(0);
    expect(known.error).toBe(ERROR.NONE);
    expect(known.apis).toContainEqual({ key: API_VERSIONS, min: 0, max: 3 });
    expect(await ranges(4)).toEqual({ error: ERROR.UNSUPPORTED_VERSION, apis: known.apis });
    expect(await ranges(999)).toEqual({ error: ERROR.UNSUPPORTED_VERSION, apis: known.apis });
  });

  it('answers in the order of the requests, sent at once and in pieces', async () => {
    const client = await connect(await start());
    const requests = Buffer.concat([
      client.request(METADATA, 4, body.metadata(['made'])),
      client.request(PRODUCE, 7, body.produce('made', recordBatch({ values: ['a'] }))),
      client.request(PRODUCE, 7, body.produce('made', recordBatch({ values: ['b'] }))),
    ]);
    for (let at = 0; at < requests.length; at += 7) client.send(requests.subarray(at, at + 7));
    await client.answer();
    expect(produced(await client.answer()).baseOffset).toBe(0);
    expect(produced(await client.answer()).baseOffset).toBe(1);
  });

  it.each([
    ['an unknown API', (client: RawClient) => client.request(999, 0)],
    ['a version that is too new', (client: RawClient) => client.request(METADATA, 99)],
    ['a version below zero', (client: RawClient) => client.request(METADATA, -1)],
    ['a length of 2 GiB', () => Buffer.from('7fffffff00030004', 'hex')],
    ['a length below zero', () => Buffer.from('ffffffff00030004', 'hex')],
    ['HTTP', () => Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['TLS', () => Buffer.from('16030100f8010000f40303', 'hex')],
    ['an empty frame', () => Buffer.alloc(4)],
    [
      'a body that ends early',
      (client: RawClient) => client.request(METADATA, 4, (writer) => writer.int32(9)),
    ],
    ['a record set beyond its frame', (client: RawClient) => client.request(PRODUCE, 7, overrunning)],
  ])('ends at %s, and only that one', async (_, bytes) => {
    const broker = await start();
    const neighbour = await connect(broker);
    const client = await connect(broker);
    client.send(bytes(client));
    await client.closed;
    expect(client.receivedBytes).toBe(0);
    expect((await neighbour.ask(API_VERSIONS, 0))?.int16()).toBe(ERROR.NONE);
  });

  it('ends for who says nothing, or half a request, but not for who waits between two', async () => {
    const broker = await start({ firstRequestTimeoutMs: 100 });
    const talking = await connect(broker);
    expect((await talking.ask(API_VERSIONS, 0))?.int16()).toBe(ERROR.NONE);
    const silent = await connect(broker);
    const half = await connect(broker);
    half.send(half.request(API_VERSIONS, 0).subarray(0, 9));
    await Promise.all([silent.closed, half.closed]);
    expect((await talking.ask(API_VERSIONS, 0))?.int16()).toBe(ERROR.NONE);
  });

  it('ends for who has not proven by then who it is, whatever it asked', async () => {
    const broker = await start({ firstRequestTimeoutMs: 200, users: new Map([['u', 'p']]) });
    const unproven = await connect(broker);
    expect((await unproven.ask(API_VERSIONS, 0))?.int16()).toBe(ERROR.NONE);
    await unproven.closed;
    const asking = await connect(broker);
    expect(await asking.ask(METADATA, 4, body.metadata([]))).toBeUndefined();
    const large = await connect(broker);
    large.send(Buffer.from('00100000', 'hex'));
    await large.closed;
  });

  it('ends for who asks nothing any more', async () => {
    const client = await connect(await start({ idleTimeoutMs: 100 }));
    await client.ask(API_VERSIONS, 0);
    await client.closed;
  });

  it('takes no memory for bytes that a client only announces', async () => {
    const broker = await start();
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 100; count += 1) {
      const client = await connect(broker);
      client.send(Buffer.from('06000000' + '0000'.repeat(5), 'hex'));
    }
    expect(await isServed(broker)).toBe(true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  });

  it('waits for a client that does not read, instead of piling up answers', async () => {
    const broker = await start();
    const client = await connect(broker);
    await client.ask(METADATA, 4, body.metadata(['big']));
    produced(
      await client.ask(PRODUCE, 7, body.produce('big', recordBatch({ values: ['x'.repeat(900_000)] }))),
    );
    client.socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 300; count += 1) client.send(client.request(1, 11, body.fetch('big', 0)));
    // Others are served meanwhile, so it has had its turn.
    for (let count = 0; count < 20; count += 1) expect(await isServed(broker)).toBe(true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100e6);
  });
});

function overrunning(writer: Parameters<ReturnType<typeof body.produce>>[0]) {
  writer.nullableString(null);
  writer.int16(-1);
  writer.int32(1);
  writer.int32(1);
  writer.string('t');
  writer.int32(1);
  writer.int32(0);
  writer.int32(2 ** 31 - 1);
}

describe('hostile bytes', () => {
  const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));

  /** Valid requests of every API and version, to be spoilt. */
  async function corpus(client: RawClient): Promise<Buffer[]> {
    const answer = await client.ask(API_VERSIONS, 0);
    answer?.int16();
    const apis =
      answer?.structs(() => ({ key: answer.int16(), min: answer.int16(), max: answer.int16() })) ?? [];
    const generic = apis.flatMap(({ key, min, max }) =>
      Array.from({ length: max - min + 1 }, (_, index) =>
        client.request(key, min + index, (writer) => {
          for (const number of [0, 1, 0, 2, 1]) writer.int16(number);
          writer.string('topic');
          for (const number of [1, 0, 0, 1, 0, 100, 3]) writer.int32(number);
        }),
      ),
    );
    return [
      ...generic,
      client.request(METADATA, 4, body.metadata(['t'])),
      client.request(PRODUCE, 7, body.produce('t', recordBatch({ values: ['a', 'b'], compression: 'gzip' }))),
      client.request(1, 11, body.fetch('t', 0)),
    ];
  }

  it(`neither end it nor grow it (seed ${seed}, FUZZ_SEED repeats it)`, { timeout: 120_000 }, async () => {
    const bugs: string[] = [];
    const before = process.memoryUsage().arrayBuffers;
    const broker = await start({
      idleTimeoutMs: 2_000,
      firstRequestTimeoutMs: 2_000,
      warn: (message) => {
        // What cannot be read is reported too; what failed in a handler is not the client's fault.
        if (message.includes(' failed: ') || message.includes('    at ')) bugs.push(message);
      },
    });
    const first = await connect(broker);
    const valid = await corpus(first);
    expect(valid.length).toBeGreaterThan(50);
    first.end();
    const spoilt = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      // Any length in front of any bytes.
      fc.tuple(fc.integer(), fc.uint8Array({ maxLength: 100 })).map(([length, bytes]) => {
        const prefix = Buffer.alloc(4);
        prefix.writeInt32BE(length);
        return Buffer.concat([prefix, bytes]);
      }),
      fc
        .tuple(fc.constantFrom(...valid), fc.nat())
        .map(([frame, at]) => frame.subarray(0, at % frame.length)),
      fc
        .tuple(
          fc.constantFrom(...valid),
          fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        )
        .map(([frame, changes]) => {
          const changed = Buffer.from(frame);
          // The length stays, so that what is behind it is looked at.
          for (const [at, to] of changes) changed[4 + (at % (frame.length - 4))] = to;
          return changed;
        }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(spoilt, { minLength: 1, maxLength: 20 }), async (inputs) => {
        await Promise.all(
          inputs.map(async (bytes) => {
            const client = await connect(broker);
            client.send(bytes);
            client.socket.end();
            await client.closed;
          }),
        );
        expect(await isServed(broker)).toBe(true);
      }),
      { seed, numRuns: 60 },
    );
    expect(bugs).toEqual([]);
    await waitFor('memory to be given back', () => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers < before + 50e6;
    });
  });
});
