import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RecordBatcher } from '../../src/app/intake/batcher.ts';
import { ORDER } from '../../src/domain/messages/shop/order.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

test.each([0, 1, 2, 3])(
  'a record that comes %i turns after the end of a send is sent at once',
  async (turns) => {
    const broker = new ScriptedBroker();
    broker.createTopic('orders');
    await using batcher = new RecordBatcher<string>({
      message: ORDER,
      clock: new FakeClock(),
      topic: 'orders',
      codec: { encode: async (values) => values.map((value) => Buffer.from(value)) },
      openProducer: () => broker.producer(),
    });
    const send = (key: string): Promise<void> => batcher.send({ key, value: key, traceparent: null });
    const both = (async () => {
      await send('O-1');
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      await send('O-2');
      return 'sent';
    })();
    expect(await Promise.race([both, sleep(1_000, 'waits')])).toBe('sent');
  },
);
