import { ORDER_CREATED } from '../../src/domain/messages/checkout/order-created.ts';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import type { Message } from '../../src/domain/messages/message.ts';
import { parseMessage } from '../../src/domain/messages/parse.ts';
import type { OutgoingMessage } from '../../src/domain/messages/outgoing.ts';
import type { Effect, EffectKind } from '../../src/domain/effects.ts';
import { paymentPerformers } from '../../src/app/run/performers/payment.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { Gateway, Payment, PaymentAnswer } from '../../src/ports/outside/gateway.ts';
import type { Store } from '../../src/ports/store.ts';
import { processors } from '../../src/processors/index.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';
import type { DispatchRules } from '../../src/processors/warehouse/rules.ts';
import type { Outcome, Processor, Received } from '../../src/processors/processor.ts';
import { FakeClock } from './fake-clock.ts';
import { ModelFolder } from './model.ts';

const never = new AbortController().signal;

/** A gateway that keeps books but does not always report what it did. */
export class FakeGateway implements Gateway {
  readonly atOnce = 16;
  /** Its answers by key: an answer, once given, does not change. */
  readonly answers = new Map<string, PaymentAnswer>();
  /** Money moved: amounts by key, in order. */
  readonly moved: { readonly key: string; readonly orderId: string; readonly amount: string }[] = [];
  readonly declines = new Set<string>();
  /** The fate of a request: it is answered, never arrives, or arrives and its answer is lost. */
  fate: () => 'answered' | 'refused' | 'lost' | 'unanswered' = () => 'answered';

  charge = async (payment: Payment) => this.#ask(payment, this.declines.has(payment.customerId));
  refund = async (payment: Payment) => this.#ask(payment, false);
  lookUp: Gateway['lookUp'] = async (key) =>
    this.fate() === 'answered'
      ? (this.answers.get(key) ?? null)
      : { kind: 'fault', message: 'no answer', isUnknown: false };

  #ask(payment: Payment, isDeclined: boolean): Awaited<ReturnType<Gateway['charge']>> {
    const { key, orderId, amount } = payment;
    const fate = this.fate();
    if (fate === 'refused') return { kind: 'fault', message: 'connection refused', isUnknown: false };
    if (fate === 'lost') return { kind: 'fault', message: 'it never arrived', isUnknown: true };
    let answer = this.answers.get(key);
    if (answer === undefined) {
      answer = isDeclined
        ? { kind: 'declined', reason: 'no_money', reference: `d-${key}` }
        : { kind: 'paid', reference: `r-${key}` };
      this.answers.set(key, answer);
      if (!isDeclined) this.moved.push({ key, orderId, amount });
    }
    return fate === 'unanswered' ? { kind: 'fault', message: 'timed out', isUnknown: true } : answer;
  }
}

/** A record on its way to one processor. */
interface Waiting {
  readonly source: string;
  readonly message: unknown;
  readonly offset: number;
}

/** All processors on the model store, with topics between them; each processor reads any waiting record at any time. */
export class CheckoutWorld {
  readonly clock = new FakeClock();
  readonly folder = new ModelFolder(this.clock);
  readonly gateway = new FakeGateway();
  readonly processors: readonly Processor<unknown, Outcome>[];
  /** The records that each processor has not read yet. */
  readonly inboxes = new Map<string, Waiting[]>();
  /** All sent messages by id, except dead letters. */
  readonly sent = new Map<string, OutgoingMessage>();
  readonly deadLetters: OutgoingMessage[] = [];
  readonly #access: Pick<StoreAccess, 'own'>;
  #store: Store | undefined;
  #offset = 0;

  /** @param access a store other than the model */
  constructor(dispatch: DispatchRules = PLAIN_SHOP.dispatch, access?: Pick<StoreAccess, 'own'>) {
    this.#access = access ?? this.folder;
    const lowStock = 1;
    this.processors = processors({
      events: { lowStock },
      users: 'required',
      delivery: { mail: null, webhook: false },
      dispatch,
      payment: PLAIN_SHOP.payment,
    });
    for (const { name } of this.processors) this.inboxes.set(name, []);
  }

  /** A new process starts: attempts of the previous process have no owner any more. */
  async restart(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    this.#store = await this.#access.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error('restart() begins');
    return this.#store;
  }

  place(orderId: string, customer: string, lines: Readonly<Record<string, number>>, price = '2.50'): void {
    const items = Object.entries(lines).map(([product_id, quantity]) => {
      return { product_id, quantity, unit_price: price };
    });
    const cents = items.reduce((sum, { quantity }) => sum + quantity * Math.round(Number(price) * 100), 0);
    this.publish(ORDER_CREATED, {
      order_id: orderId,
      customer_id: customer,
      items,
      total_amount: (cents / 100).toFixed(2),
      shipping_address: 'Main Street 1',
      created_at: this.clock.now(),
    });
  }

  /** An order of the direct flow. */
  placeDirect(orderId: string, user: string, lines: Readonly<Record<string, number>>): void {
    const items = Object.entries(lines).map(([item, quantity]) => ({ item, quantity, unitPrice: null }));
    const message = { orderId, user, createdAt: 0, items };
    this.inboxes.get('orders')?.push({ source: 'orders', message, offset: this.#offset++ });
  }

  /** Puts a record where its readers find it. */
  publish({ name, schema, readers }: Message, fields: object): void {
    const { value, problem } = parseMessage(schema, fields);
    if (problem !== undefined) throw new Error(`${name}: ${problem.message}`);
    for (const reader of readers) {
      this.inboxes.get(reader)?.push({ source: name, message: value, offset: this.#offset++ });
    }
  }

  /** @param decide what happens to the changes: `lose` is a crash before the commit */
  async process(
    name: string,
    waiting: readonly Waiting[],
    fate: 'commit' | 'lose' = 'commit',
  ): Promise<void> {
    const processor = this.processors.find((one) => one.name === name);
    if (processor === undefined) throw new Error(`no processor ${name}`);
    const received = waiting.map(({ source, message, offset }): Received<unknown> => {
      return { source, message, record: { topic: source, partition: 0, offset }, traceparent: null };
    });
    await this.store.transact(processor.keys(received), (state) => {
      const { changes, results } = processor.decide(received, state);
      if (results.length !== received.length) throw new Error(`${name} left messages without a result`);
      return { changes: fate === 'lose' ? {} : changes, result: undefined };
    });
  }

  /** Sends all waiting messages. @param repeat a crash before the sending is recorded */
  async send(repeat = false): Promise<void> {
    for (const destination of [...this.store.unsent().keys()]) {
      const sending = this.store.drain(destination, async (unsent) => {
        for (const one of unsent) if (one.kind === 'message') this.#deliver(one);
        if (repeat) throw new Error('crashed');
        return [];
      });
      await sending.catch((error: unknown) => {
        if (!repeat) throw error;
      });
    }
  }

  #deliver(message: OutgoingMessage): void {
    const known = this.sent.get(message.id);
    const content = JSON.stringify([message.type, message.key, message.fields, message.deadLetter]);
    if (known !== undefined) {
      if (JSON.stringify([known.type, known.key, known.fields, known.deadLetter]) !== content) {
        throw new Error(`${message.id} has two contents`);
      }
    } else if (message.deadLetter !== undefined) this.deadLetters.push(message);
    this.sent.set(message.id, message);
    if (message.deadLetter === undefined) this.publish(declared(message.type), message.fields);
  }

  /** Tries effects that are due. @param answer what happens to the answer: `lose` is a crash before its commit */
  async perform(
    limit: number,
    fate: (effect: Effect) => 'commit' | 'lose' = () => 'commit',
  ): Promise<number> {
    const kinds = this.processors.flatMap(({ effects }) => effects?.kinds ?? []);
    const taken = await this.store.takeEffects({ kinds, limit, leaseMs: 30_000 });
    const performers = paymentPerformers({ gateway: this.gateway, clock: this.clock, keyTtlMs: 72_000_000 });
    for (const effect of taken) {
      const handler = this.#handlerOf(effect.kind);
      const performer = performers[effect.kind];
      const answer =
        performer === undefined
          ? ({ kind: 'done', fields: { outcome: 'delivered', detail: 'logged' } } as const)
          : await performer.perform(effect, { signal: never, isOver: () => false });
      if (fate(effect) === 'lose') continue;
      await this.store.transact(
        { ...handler.keys([effect]), effects: effectsOf(handler.keys([effect]).effects, effect) },
        (state) => {
          const current = state.effect(effect.id);
          if (current?.attempts !== effect.attempts) return { changes: {}, result: undefined };
          return { changes: handler.settle([{ effect: current, answer }], state), result: undefined };
        },
      );
    }
    return taken.length;
  }

  #handlerOf(kind: EffectKind) {
    const handler = this.processors.find(({ effects }) => effects?.kinds.includes(kind) === true)?.effects;
    if (handler === undefined) throw new Error(`nobody settles ${kind}`);
    return handler;
  }

  /** Runs until nothing is left to do: the gateway answers, and dead letters are redriven. */
  async settle(): Promise<void> {
    this.gateway.fate = () => 'answered';
    await this.restart();
    for (let round = 0; round < 200; round++) {
      for (const { deadLetter, type, fields } of this.deadLetters.splice(0)) {
        if (deadLetter !== undefined) this.publish(declared(type), fields);
      }
      for (const [name, inbox] of this.inboxes)
        if (inbox.length > 0) await this.process(name, inbox.splice(0));
      await this.send();
      const tried = await this.perform(100);
      await this.send();
      const isQuiet = [...this.inboxes.values()].every((inbox) => inbox.length === 0);
      const dueInMs = this.store.dueInMs(['charge', 'refund', 'dispatch', 'log', 'mail', 'webhook']);
      if (isQuiet && tried === 0 && dueInMs === null && this.deadLetters.length === 0) return;
      if (isQuiet) this.clock.time += dueInMs ?? 0;
    }
    throw new Error('it does not come to rest');
  }
}

function effectsOf(ids: Iterable<string> | undefined, effect: Effect): string[] {
  return [...(ids ?? []), effect.id];
}

function declared(type: string): Message {
  const found = MESSAGES.find(({ name }) => name === type);
  if (found?.schema == null) throw new Error(`no message ${type}`);
  return found as Message;
}

export const userRow = (user: string) => ({ user, status: 'paid' as const, extra: {} });

/** Adds items, or sets their stock. */
export function stock(of: CheckoutWorld, rows: Readonly<Record<string, number>>): void {
  for (const [item, quantity] of Object.entries(rows)) {
    of.folder.tables.items.set(item, {
      item,
      quantity,
      name: null,
      price: item === 'book' ? '2.50' : null,
      reorderLevel: null,
      extra: {},
    });
  }
}
