import { expect, it } from 'vitest';
import { Ending } from '../../src/app/run/ending.ts';
import type { Outbox } from '../../src/app/run/outbox/outbox.ts';
import type { Reading } from '../../src/app/run/reading.ts';
import { Waits } from '../../src/app/run/wait.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Broker } from '../../src/ports/broker.ts';
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

function endingOf(outbox: LateOutbox, raise: () => void, broker: Broker): { ended: () => number } {
  let ended = 0;
  const clock = new FakeClock();
  const options = { untilEnd: true, maxMessages: null };
  const ending = new Ending({
    readings: [{ atEnd: true, raise: async () => raise() } as unknown as Reading],
    effects: { isIdle: true } as never,
    outbox: outbox as unknown as Outbox,
    waits: new Waits({ clock, options, on: () => undefined, stop: new AbortController() }),
    ...{ broker, between: new Set([SENT]), destinations: [SENT] },
    onEnd: () => (ended += 1),
    onFailure: (error) => {
      throw error;
    },
  });
  ending.look();
  return { ended: () => ended };
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
