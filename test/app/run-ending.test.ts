import { expect, it } from 'vitest';
import { Ending } from '../../src/app/run/ending.ts';
import type { Outbox } from '../../src/app/run/outbox/outbox.ts';
import type { Reading } from '../../src/app/run/reading.ts';
import type { WaitEvent } from '../../src/app/run/events.ts';
import { Waits } from '../../src/app/run/wait.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Broker } from '../../src/ports/broker.ts';
import type { Store } from '../../src/ports/store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { waitFor } from '../support/wait.ts';

const SENT = 'payments.processed';

/** An outbox of one destination, in which something appears when the ends of the topics are asked for. */
class LateOutbox {
  waiting = 0;
  sends = 0;
  async drain(): Promise<void> {
    if (this.waiting > 0) this.sends += 1;
    this.waiting = 0;
  }
  hasUnsentTo(): boolean {
    return this.waiting > 0;
  }
  sendsTo(): number {
    return this.sends;
  }
}

/** Away for the first that asks. */
class LateBroker extends ScriptedBroker {
  tries = 0;
  override async admin(): ReturnType<ScriptedBroker['admin']> {
    if (++this.tries === 1) throw new Failure('broker_unreachable', 'away');
    return super.admin();
  }
}

/** What waits for other processes of the store, at each look. */
type Elsewhere = readonly number[];

function endingOf(
  outbox: LateOutbox,
  raise: () => void,
  broker: Broker,
  { elsewhere = [], topics = [SENT] }: { elsewhere?: Elsewhere; topics?: readonly string[] } = {},
): { ended: () => number; warned: () => readonly WaitEvent[] } {
  const warned: WaitEvent[] = [];
  const counts = [...elsewhere];
  const store = { isShared: elsewhere.length > 0, unsentElsewhere: async () => counts.shift() ?? 0 } as Store;
  let ended = 0;
  const clock = new FakeClock();
  const options = { untilEnd: true, maxMessages: null };
  const ending = new Ending({
    readings: [{ atEnd: true, raise: async () => raise() } as unknown as Reading],
    effects: { isIdle: true } as never,
    outbox: outbox as unknown as Outbox,
    waits: new Waits({ clock, options, on: (event) => warned.push(event), stop: new AbortController() }),
    store,
    broker,
    between: new Set(topics),
    destinations: topics,
    onEnd: () => (ended += 1),
    onFailure: (error) => {
      throw error;
    },
  });
  ending.look();
  return { ended: () => ended, warned: () => warned };
}

it('does not end while what was decided during the last look is not sent', async () => {
  const outbox = new LateOutbox();
  let looks = 0;
  const { ended } = endingOf(
    outbox,
    () => {
      if (++looks === 1) outbox.waiting = 1;
    },
    new ScriptedBroker(),
  );
  await waitFor('the end', ended, (count) => count === 1);
  expect({ sends: outbox.sends, waiting: outbox.waiting, looks }).toEqual({ sends: 1, waiting: 0, looks: 2 });
});

it('does not end when something was sent after the ends of the topics were asked for', async () => {
  const outbox = new LateOutbox();
  let looks = 0;
  const { ended } = endingOf(
    outbox,
    () => {
      if (++looks === 1) outbox.sends += 1;
    },
    new ScriptedBroker(),
  );
  await waitFor('the end', ended, (count) => count === 1);
  expect(looks).toBe(2);
});

it('waits for a broker that is away when the ends are asked for', async () => {
  const broker = new LateBroker();
  const { ended } = endingOf(new LateOutbox(), () => undefined, broker);
  await waitFor('the end', ended, (count) => count === 1);
  expect(broker.tries).toBe(2);
});

it.each([{ topics: [] }, { topics: [SENT] }])(
  'ends once other processes of the store have sent what waits for them, which it says: %j',
  async ({ topics }) => {
    let looks = 0;
    const raise = (): void => void (looks += 1);
    const asked = { elsewhere: [2, 1, 0], topics };
    const { ended, warned } = endingOf(new LateOutbox(), raise, new ScriptedBroker(), asked);
    await waitFor('the end', ended, (count) => count === 1);
    expect(looks).toBe(topics.length);
    expect(warned()).toMatchObject([
      { kind: 'waiting', for: 'others' },
      { kind: 'resumed', for: 'others' },
    ]);
    expect(JSON.stringify(warned()[0])).toContain('"2 messages wait');
  },
);
