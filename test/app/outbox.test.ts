import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { Outbox } from '../../src/app/run/outbox/outbox.ts';
import { Lane, type LaneParts } from '../../src/app/run/outbox/lane.ts';
import { Waits } from '../../src/app/run/wait.ts';
import type { Store } from '../../src/ports/store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { JsonCodec } from '../support/json-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

function partsOf(store: Pick<Store, 'unsent' | 'drain'>): LaneParts {
  const clock = new FakeClock();
  const stop = new AbortController();
  const options = { untilEnd: false, maxMessages: null };
  return {
    store: store as Store,
    broker: new ScriptedBroker(),
    clock,
    stop,
    names: new Map(),
    group: 'g',
    create: true,
    codecOf: async () => new JsonCodec(),
    on: () => undefined,
    waits: new Waits({ clock, options, on: () => undefined, stop }),
  };
}

it('holds up no decision for a destination that does not answer, and sends to the others as if there were none', async () => {
  const unsent = new Map([['alerts', 1_000_000]]);
  const drains: string[] = [];
  const parts = partsOf({
    unsent: () => unsent,
    drain: (destination) => {
      drains.push(destination);
      return new Promise<number>(() => undefined);
    },
  });
  const outbox = new Outbox(parts);
  await outbox.sendAfterBatch(true);
  // It has not answered within a quarter of a second: from here on it is waited for no more.
  const before = parts.clock.now();
  await outbox.sendAfterBatch(true);
  await outbox.sendAfterBatch(false);
  unsent.set('inventory-events', 10);
  await outbox.sendAfterBatch(true);
  expect(parts.clock.now()).toBe(before);
  expect(drains).toEqual(['alerts']);
});

it('sends what came while others were being sent, without another batch', async () => {
  const unsent = new Map([['alerts', 1]]);
  let drains = 0;
  const lane = new Lane(
    'alerts',
    partsOf({
      unsent: () => unsent,
      drain: async () => {
        // One more comes during the first.
        if (++drains === 2) unsent.delete('alerts');
        return 1;
      },
    }),
    () => null,
  );
  await lane.send();
  expect(drains).toBe(2);
});

it('listens for the stop once, however many destinations there are', async () => {
  const unsent = new Map<string, number>();
  for (let at = 0; at < 20; at++) unsent.set(`topic-${at}`, 1);
  const parts = partsOf({
    unsent: () => unsent,
    drain: async (destination) => (unsent.delete(destination) ? 1 : 0),
  });
  const before = getEventListeners(parts.stop.signal, 'abort').length;
  const outbox = new Outbox(parts);
  await outbox.drain();
  expect(unsent.size).toBe(0);
  expect(getEventListeners(parts.stop.signal, 'abort').length - before).toBe(1);
});
