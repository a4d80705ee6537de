import { beforeEach, expect, test } from 'vitest';
import { CHECKOUT } from '../../src/domain/checkout/facts.ts';
import { ORDER_CANCELLED } from '../../src/domain/messages/checkout/order-cancelled.ts';
import { ORDER_VALIDATED } from '../../src/domain/messages/checkout/order-validated.ts';
import type { Message } from '../../src/domain/messages/message.ts';
import { EffectWorker } from '../../src/app/run/effects.ts';
import { paymentPerformers } from '../../src/app/run/performers/payment.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Gateway, GatewayFault, Payment, PaymentAnswer } from '../../src/ports/outside/gateway.ts';
import type { Store } from '../../src/ports/store.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';
import { payment } from '../../src/processors/payment/processor.ts';
import { ModelFolder } from '../support/model.ts';

/*
 * Two workers of effects on one store, led along the ways that the model of the heart finds where a rule is broken
 * (npm run model -- --without all). What is not let happen has to wait: an instance that is never let is asleep.
 */

const HOUR_MS = 3_600_000;
const LEASE_MS = 61_000;

/** What waits for the test to let it happen. */
class Turns {
  #waiting: { readonly name: string; readonly happen: () => void }[] = [];

  /** Resolves when it is let, or when `signal` aborts. */
  of(name: string, signal?: AbortSignal): Promise<void> {
    return new Promise((happen) => {
      const turn = { name, happen };
      this.#waiting.push(turn);
      const over = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== turn);
        happen();
      };
      signal?.addEventListener('abort', over, { once: true });
    });
  }

  async let(name: string): Promise<void> {
    const at = this.#waiting.findIndex((one) => one.name === name);
    const [next] = at === -1 ? [] : this.#waiting.splice(at, 1);
    if (next === undefined) throw new Error(`not waiting: ${name}, but: ${this.names().join(', ')}`);
    next.happen();
    await new Promise((resolve) => setImmediate(resolve));
  }

  names(): string[] {
    return this.#waiting.map(({ name }) => name);
  }
}

/** Charges a key once while it remembers it; what it charged it finds for ever. */
class Books {
  readonly charges: string[] = [];
  readonly answers = new Map<string, PaymentAnswer>();
  declines = false;

  charge({ key }: Payment): PaymentAnswer {
    const known = this.answers.get(key);
    if (known !== undefined) return known;
    if (!this.declines) this.charges.push(key);
    const answer: PaymentAnswer = this.declines
      ? { kind: 'declined', reason: 'no_funds', reference: null }
      : { kind: 'paid', reference: key };
    this.answers.set(key, answer);
    return answer;
  }

  found(key: string): PaymentAnswer | null {
    return this.charges.includes(key) ? { kind: 'paid', reference: key } : (this.answers.get(key) ?? null);
  }
}

let time: number;
let turns: Turns;
let books: Books;
let folder: ModelFolder;
let store: Store;
let workers: EffectWorker[];
/** The next call does not reach the gateway. */
let isRefused: boolean;

beforeEach(async () => {
  time = Date.UTC(2026, 0, 2);
  turns = new Turns();
  books = new Books();
  isRefused = false;
  folder = new ModelFolder(clockOf('nobody'));
  workers = [];
  const wake = (): void => workers.forEach((worker) => worker.wake());
  const options = { purpose: 'test', via: 'consume', onNotice: () => undefined, onOwed: wake } as const;
  store = await folder.own(options);
});

/** Time passes for all, and is noticed by those that are let. */
function clockOf(name: string): Clock {
  return {
    now: () => time,
    elapsed: () => time,
    sleep: async (ms, signal) => {
      const end = time + ms;
      while (time < end && signal?.aborted !== true) await turns.of(`${name} looks at the clock`, signal);
    },
  };
}

function gatewayOf(name: string): Gateway {
  const call = async <T>(what: string, arrive: () => T): Promise<T | GatewayFault> => {
    if (isRefused) return { kind: 'fault', message: 'connection refused', isUnknown: false };
    await turns.of(`${name}: ${what} arrives`);
    const answer = arrive();
    await turns.of(`${name}: ${what} is answered`);
    return answer;
  };
  return {
    atOnce: 16,
    charge: (asked) => call('charge', () => books.charge(asked)),
    refund: (asked) => call('refund', () => books.charge(asked)),
    lookUp: (key) => call('look-up', () => books.found(key)),
  };
}

function start(name: string): void {
  const led = new Proxy(store, {
    get: (of, property) => {
      const value = Reflect.get(of, property, of) as unknown;
      if (typeof value !== 'function') return value;
      const method = (value as (...args: unknown[]) => unknown).bind(of);
      const does = property === 'takeEffects' ? 'takes' : property === 'transact' ? 'settles' : null;
      if (does === null) return method;
      return async (...args: unknown[]) => {
        await turns.of(`${name} ${does}`);
        return method(...args);
      };
    },
  });
  const clock = clockOf(name);
  const { effects: handler } = payment(PLAIN_SHOP);
  if (handler === undefined) throw new Error('payment has no effects');
  const worker = new EffectWorker({
    store: led,
    clock,
    processor: 'payment',
    handler,
    kinds: handler.kinds,
    on: () => undefined,
    onSettled: () => undefined,
    performers: paymentPerformers({ gateway: gatewayOf(name), clock, keyTtlMs: 20 * HOUR_MS }),
  });
  workers.push(worker);
  void worker.run(new AbortController().signal);
}

async function reads(message: Message, fields: object): Promise<void> {
  const processor = payment(PLAIN_SHOP);
  const record = { topic: message.name, partition: 0, offset: 0 };
  const received = [
    { source: message.name, message: { order_id: 'a', ...fields }, record, traceparent: null },
  ];
  const asked = received as unknown as Parameters<typeof processor.decide>[0];
  await store.transact(processor.keys(asked), (state) => {
    return { changes: processor.decide(asked, state).changes, result: undefined };
  });
  await new Promise((resolve) => setImmediate(resolve));
}
const validated = (): Promise<void> =>
  reads(ORDER_VALIDATED, { customer_id: 'alice', total_amount: '2.50', items: [], shipping_address: '' });

/** As the processor `inventory` decides, and then `payment` reads it. */
async function cancelled(): Promise<void> {
  const fact = { order_id: 'a', at: '', step: 'cancelled', detail: '' } as const;
  await store.transact({}, () => ({
    changes: { facts: [{ log: CHECKOUT, value: fact }] as never },
    result: undefined,
  }));
  await reads(ORDER_CANCELLED, { customer_id: 'alice', outcome: 'cancelled' });
}

const steps = (): string[] => folder.factsOf(CHECKOUT, 'a').map(({ step }) => step);

/** A looks at the clock wherever it waits for a time. */
async function clockStrikes(ms: number): Promise<void> {
  time += ms;
  for (const name of turns.names()) if (name === 'A looks at the clock') await turns.let(name);
}

/** The attempt that is under way has waited for its answer long enough. */
async function givesUp(): Promise<void> {
  await clockStrikes(50_000);
  await turns.let('A settles');
}

/** The next attempt, after the longest pause. */
async function takesAgain(): Promise<void> {
  await turns.let('A takes');
  await clockStrikes(HOUR_MS);
  await turns.let('A takes');
}

async function asks(name: string, what: 'look-up' | 'charge'): Promise<void> {
  await turns.let(`${name}: ${what} arrives`);
  await turns.let(`${name}: ${what} is answered`);
}

test('the answer of an attempt that another has taken over counts no more', async () => {
  await validated();
  start('A');
  await turns.let('A takes');
  books.declines = true;
  await turns.let('A: charge arrives');
  time += 24 * HOUR_MS;
  books.declines = false;
  books.answers.clear();
  start('B');
  await turns.let('B takes');
  await turns.let('A: charge is answered');
  await turns.let('A settles');
  expect(steps()).toEqual(['charge_owed']);
  await asks('B', 'look-up');
  await asks('B', 'charge');
  await turns.let('B settles');
  expect(steps()).toEqual(['charge_owed', 'paid']);
  expect(books.charges).toHaveLength(1);
});

test('no charge is asked for when the lease of its attempt is over', async () => {
  await validated();
  start('A');
  await turns.let('A takes');
  await givesUp();
  await takesAgain();
  await turns.let('A: look-up arrives');
  time += LEASE_MS;
  start('B');
  await turns.let('B takes');
  await asks('B', 'look-up');
  await turns.let('B: charge arrives');
  await turns.let('B: charge is answered');
  await turns.let('B settles');
  time += 24 * HOUR_MS;
  books.answers.clear();
  await turns.let('A: look-up is answered');
  expect(turns.names().filter((name) => name === 'A: charge arrives')).toHaveLength(1);
  await turns.let('A settles');
  expect(steps()).toEqual(['charge_owed', 'paid']);
});

test('a call that did not arrive says nothing of the one before it', async () => {
  await validated();
  start('A');
  await turns.let('A takes');
  await givesUp();
  await takesAgain();
  await turns.let('A: look-up arrives');
  isRefused = true;
  await turns.let('A: look-up is answered');
  await turns.let('A settles');
  isRefused = false;
  await cancelled();
  await turns.let('A: charge arrives');
  expect(steps()).toEqual(['charge_owed', 'cancelled']);
  await takesAgain();
  await asks('A', 'look-up');
  await turns.let('A settles');
  expect(steps()).toEqual(['charge_owed', 'cancelled', 'paid', 'refund_owed']);
});

test('one that was parked is looked up when it is redriven', async () => {
  await validated();
  start('A');
  await turns.let('A takes');
  await turns.let('A: charge arrives');
  await givesUp();
  for (let attempt = 2; attempt <= 6; attempt++) {
    isRefused = true;
    await takesAgain();
    await turns.let('A settles');
  }
  isRefused = false;
  expect(folder.owed.get('checkout/a/charge')?.state).toBe('parked');
  books.answers.clear();
  await validated();
  await turns.let('A takes');
  await turns.let('A takes');
  await asks('A', 'look-up');
  await turns.let('A settles');
  expect(steps()).toEqual(['charge_owed', 'paid']);
  expect(books.charges).toHaveLength(1);
});
