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
    ...{ store: store as Store, broker: new ScriptedBroker(), clock, stop },
    ...{ names: new Map(), group: 'g', codecOf: async () => new JsonCodec(), on: () => undefined },
    waits: new Waits({ clock, options, on: () => undefined, stop }),
  };
}

/** An outbox of a store in which so many wait for a destination that does not answer. */
function outboxOf(waiting: () => number): { outbox: Outbox; stop: AbortController } {
  const parts = partsOf({
    unsent: () => new Map([['alerts', waiting()]]),
    drain: () => new Promise<number>(() => undefined),
  });
  const { stop } = parts;
  const outbox = new Outbox(parts);
  return { outbox, stop };
}

it('decides nothing while a hundred thousand wait, however long that is', async () => {
  let looks = 0;
  const { outbox } = outboxOf(() => (++looks < 50 ? 100_000 : 99_999));
  await outbox.sendAfterBatch(true);
  expect(looks).toBeGreaterThanOrEqual(50);
});

it('holds up no decision while fewer wait', async () => {
  let looks = 0;
  const { outbox } = outboxOf(() => {
    looks += 1;
    return 99_999;
  });
  await outbox.sendAfterBatch(true);
  expect(looks).toBeLessThan(5);
});

it('a stop ends the wait', async () => {
  let looks = 0;
  const { outbox, stop } = outboxOf(() => {
    if (++looks === 20) stop.abort();
    return 100_000;
  });
  await outbox.sendAfterBatch(true);
  expect(looks).toBeLessThan(25);
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
  );
  await lane.send();
  expect(drains).toBe(2);
});
