import { expect, it } from 'vitest';
import {
  sendEvents,
  type SendEventsEvent,
  type SendEventsOptions,
  type SourceEvent,
} from '../../src/app/send/sources.ts';
import type { CodecOf } from '../../src/app/run/events.ts';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { fixText } from '../support/ways-out.ts';

const TOPIC = 'supplier_restocks';

const deliveryOf = (event_id: string): SourceEvent => ({
  source: 'supplier',
  fields: { event_id, product_id: 'pen', quantity: 20, unit_price: null, occurred_at: 1, order_id: null },
});

/** Deliveries of which each answer is lost. @param onSend when they are on their way */
async function sendInDoubt(
  given: Partial<SendEventsOptions>,
  onSend: () => void = () => undefined,
): Promise<{ readonly error: Failure; readonly seen: readonly SendEventsEvent[]; readonly stored: number }> {
  const broker = new ScriptedBroker();
  broker.createTopic(TOPIC);
  broker.sendFailures.push(new Failure('broker_unreachable', 'no broker answers at here:9092'));
  broker.onSendFailure = () => {
    onSend();
    return 'lost_answer';
  };
  const seen: SendEventsEvent[] = [];
  const encode = (values: readonly unknown[]) =>
    Promise.resolve(values.map((value) => Buffer.from(JSON.stringify(value))));
  const codecOf = (() => Promise.resolve({ encode })) as unknown as CodecOf;
  const error: unknown = await sendEvents(
    { broker, codecOf },
    {
      sources: ['supplier'],
      names: new Map(),
      create: true,
      count: 2,
      delayMs: 0,
      again: 'event_id',
      clock: new FakeClock(),
      signal: new AbortController().signal,
      events: ['EV-1', 'EV-2'].map(deliveryOf),
      on: (event) => seen.push(event),
      ...given,
    },
  ).catch((failure: unknown) => failure);
  if (!isFailure(error)) throw new Error(`sent: ${String(error)}`);
  return { error, seen, stored: broker.topics.get(TOPIC)?.[0]?.length ?? 0 };
}

it('events whose answer was lost are named, and how each is sent again so that it counts once', async () => {
  const { error, seen, stored } = await sendInDoubt({});
  expect(stored).toBe(2);
  expect(error.code).toBe('broker_unreachable');
  expect(error.message).toBe(
    'no broker answers at here:9092; whether these events are stored is unknown: EV-1, EV-2',
  );
  expect(fixText(error)).toContain('--order-id EV-1');
  expect(seen).toMatchObject([
    { kind: 'unknown', topic: TOPIC, events: [deliveryOf('EV-1'), deliveryOf('EV-2')] },
    { kind: 'summary', summary: { sent: 0, failed: 0, unknown: 2, hasFailed: true } },
  ]);
});

it('those of a seed are made again by it', async () => {
  const { error } = await sendInDoubt({ again: 'seed' });
  expect(fixText(error)).toContain('the same seed gives the events the same ids');
});

it('a run that is stopped over it was interrupted, and says the same', async () => {
  const stop = new AbortController();
  const { error } = await sendInDoubt({ signal: stop.signal }, () => stop.abort());
  expect(error.code).toBe('interrupted');
  expect(error.message).toContain('interrupted: 0 of 2 events sent; ');
  expect(error.message).toContain('is unknown: EV-1, EV-2');
  expect(fixText(error)).toContain('--order-id EV-1');
});

it('a run that is stopped before anything is in doubt says how to go on', async () => {
  const stop = new AbortController();
  stop.abort();
  const { error } = await sendInDoubt({ signal: stop.signal });
  expect(error.message).toBe('interrupted: 0 of 2 events sent');
  expect(fixText(error)).toBe('to continue: run the same command again');
});
