import { describe, expect, it } from 'vitest';

import type { DevBroker } from '../../../src/dev-broker/dev-broker.ts';
import type { Fault } from '../../../src/dev-broker/faults.ts';
import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { body, fetched, produced } from '../../support/raw-client.ts';
import { recordBatch, valuesOf } from '../../support/record-batches.ts';

const { start, connect } = embeddedBroker();

async function brokerWithTopic(): Promise<DevBroker> {
  const broker = await start();
  await (await connect(broker)).ask(3, 4, body.metadata(['t']));
  return broker;
}

const produceOf = (value: string) => body.produce('t', recordBatch({ values: [value] }));

async function stored(broker: DevBroker): Promise<string[]> {
  const client = await connect(broker);
  return valuesOf(fetched(await client.ask(1, 11, body.fetch('t', 0))).records);
}

describe('a fault', () => {
  it.each<[string, Fault, string[]]>([
    ['before the request is handled', { kind: 'drop', when: 'before' }, []],
    ['after it, so that the client cannot know', { kind: 'drop', when: 'after' }, ['a']],
    ['in the middle of the answer', { kind: 'cut' }, ['a']],
  ])('ends the connection %s', async (_, fault, left) => {
    const broker = await brokerWithTopic();
    const strike = broker.faults.add({ fault, api: 'Produce' });
    const client = await connect(broker);
    expect(await client.ask(0, 7, produceOf('a'))).toBeUndefined();
    expect(client.receivedBytes > 0).toBe(fault.kind === 'cut');
    expect(strike.hits).toBe(1);
    expect(await stored(broker)).toEqual(left);
    // Once, unless it says otherwise.
    expect(produced(await (await connect(broker)).ask(0, 7, produceOf('b'))).error).toBe(ERROR.NONE);
  });

  it('answers with an error without doing anything', async () => {
    const broker = await brokerWithTopic();
    broker.faults.add({
      fault: { kind: 'error', error: 'NOT_LEADER_OR_FOLLOWER' },
      api: 'Produce',
      times: 2,
    });
    const client = await connect(broker);
    for (const expected of [6, 6, 0]) {
      expect(produced(await client.ask(0, 7, produceOf('a'))).error).toBe(expected);
    }
    expect(await stored(broker)).toEqual(['a']);
  });

  it('handles a request twice', async () => {
    const broker = await brokerWithTopic();
    broker.faults.add({ fault: { kind: 'duplicate' }, api: 'Produce' });
    const client = await connect(broker);
    expect(produced(await client.ask(0, 7, produceOf('a'))).baseOffset).toBe(1);
    expect(await stored(broker)).toEqual(['a', 'a']);
  });

  it('delays what comes behind it too, and nobody else', async () => {
    const broker = await brokerWithTopic();
    const slow = await connect(broker);
    broker.faults.add({ fault: { kind: 'delay', delayMs: 200 }, api: 'Produce' });
    for (const name of ['slow', 'behind it']) slow.send(slow.request(0, 7, produceOf(name)));
    await (await connect(broker)).ask(18, 0);
    expect(slow.receivedBytes).toBe(0);
    expect(produced(await slow.answer()).baseOffset).toBe(0);
    expect(produced(await slow.answer()).baseOffset).toBe(1);
    expect(await stored(broker)).toEqual(['slow', 'behind it']);
  });

  it('leaves a request without an answer, and the connection open', async () => {
    const broker = await brokerWithTopic();
    broker.faults.add({ fault: { kind: 'silence' }, api: 'Produce' });
    const client = await connect(broker);
    client.send(client.request(0, 7, produceOf('never')));
    // The next answer is that of the next request.
    expect((await client.ask(18, 0))?.int16()).toBe(ERROR.NONE);
    expect(await stored(broker)).toEqual([]);
  });

  it('meets only what its rule is about', async () => {
    const broker = await brokerWithTopic();
    const { faults } = broker;
    const error: Fault = { kind: 'error', error: 'REQUEST_TIMED_OUT' };
    const client = await connect(broker);
    const send = async () => produced(await client.ask(0, 7, produceOf('a'))).error;
    const others = [
      faults.add({ fault: error, api: 'Fetch' }),
      faults.add({ fault: error, clientId: 'somebody else' }),
      faults.add({ fault: error, connectionId: 1, api: 'Produce' }),
    ];
    const third = faults.add({ fault: error, clientId: 'raw', api: 'Produce', skip: 2 });
    expect([await send(), await send(), await send(), await send()]).toEqual([0, 0, 7, 0]);
    expect([...others, third].map(({ hits }) => hits)).toEqual([0, 0, 0, 1]);
    const always = faults.add({ fault: error, times: Infinity, api: 'Produce' });
    expect([await send(), await send()]).toEqual([7, 7]);
    always.remove();
    expect(await send()).toBe(0);
    faults.add({ fault: error, api: 'Produce' });
    faults.clear();
    expect(await send()).toBe(0);
  });

  it('is refused for an API that there is not, naming those there are', async () => {
    const { faults } = await start();
    expect(() => faults.add({ fault: { kind: 'cut' }, api: 'Produces' })).toThrow(/Produces.*Fetch.*Produce/);
  });
});
