import { beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent, RunOptions, RunPorts, Service } from '../../src/app/run/events.ts';
import { runServices } from '../../src/app/run/run.ts';
import { KindTally } from '../../src/app/run/status/tally.ts';
import type { SmallTable } from '../../src/domain/facts.ts';
import { Failure } from '../../src/domain/failure.ts';
import { ORDER_CANCELLED } from '../../src/domain/messages/checkout/order-cancelled.ts';
import { outgoing } from '../../src/domain/messages/outgoing.ts';
import { ALERT, type Alert } from '../../src/domain/messages/shop/alert.ts';
import { SUPPLIER_RESTOCK } from '../../src/domain/messages/stock/supplier-restock.ts';
import { lastHeader } from '../../src/ports/record.ts';
import type { State } from '../../src/domain/state.ts';
import { decideEach } from '../../src/processors/draft.ts';
import type { Outcome, Processor, Received, Refused } from '../../src/processors/processor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { JsonCodec } from '../support/json-codec.ts';
import { ModelFolder } from '../support/model.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

/* The runner knows no orders: processors of other messages have commits, positions, dead letters and messages from it. */

interface Delivery {
  readonly item: string;
  readonly quantity: number;
}

/** Adds what arrives to the stock, and sends an alert for each arrival. */
const STOCK: Processor<Delivery, Outcome> = {
  name: 'stock',
  sources: [SUPPLIER_RESTOCK],
  emits: [ALERT],
  keys: (received) => ({ items: received.map(({ message }) => message.item) }),
  decide(received, state) {
    const movements = received.map(({ message: { item, quantity } }) => ({
      ...({ item, delta: quantity, cause: 'restock', orderId: null, eventId: null } as const),
    }));
    const messages = received.map(({ message: { item, quantity }, record, traceparent }) => {
      const alert: Alert = {
        event_id: `${item}-${record.offset}`,
        kind: 'low_stock',
        item,
        revision: record.offset,
        on_hand: quantity,
        reorder_level: null,
        order_id: null,
        message: 'arrived',
        at: state.at,
      };
      const cause = { store: state.storeId, of: [item, record.offset], at: state.at, traceparent };
      return outgoing(ALERT, alert, cause);
    });
    return {
      changes: { movements, outgoing: messages },
      results: received.map(() => ({ kind: 'delivered' })),
    };
  },
};

const SEEN: SmallTable<number> = { name: 'seen' };

/** Counts the alerts of each item. */
const COUNTER: Processor<Alert, Outcome> = {
  name: 'delivery',
  sources: [ALERT],
  emits: [],
  keys: () => ({}),
  decide(received, state) {
    const counts = new Map<string, number>();
    for (const { message } of received) {
      const before = counts.get(message.item) ?? state.small(SEEN, message.item) ?? 0;
      counts.set(message.item, before + 1);
    }
    const small = [...counts].map(([key, value]) => ({ table: SEEN, key, value }));
    return { changes: { small }, results: received.map(({ source }) => ({ kind: source })) };
  },
};

function service<M, R extends Outcome>(processor: Processor<M, R>): Service<M, R> {
  return { processor, group: `g.${processor.name}`, tally: new KindTally() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const text = (value: Uint8Array | null): string => new TextDecoder().decode(value ?? new Uint8Array());
const NAMES = new Map([['supplier_restocks', 'restocks']]);

let folder: ModelFolder;
let broker: ScriptedBroker;
let codec: JsonCodec;
let events: RunEvent[];
beforeEach(async () => {
  folder = new ModelFolder(new FakeClock());
  broker = new ScriptedBroker();
  broker.idles = true;
  codec = new JsonCodec();
  events = [];
  broker.createTopic('restocks', 1);
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 1 });
});

function arrive(...values: string[]): void {
  for (const value of values) broker.append('restocks', 0, { value: new TextEncoder().encode(value) });
}

const FIVE_PENS = '{"item":"pen","quantity":5}';

async function run(
  services: readonly Service[],
  asked: Partial<RunOptions> = {},
  ports: Partial<RunPorts> = {},
): Promise<void> {
  events = [];
  await runServices(
    { access: folder, broker, codecOf: async () => codec, clock: folder.clock, ...ports },
    services,
    {
      purpose: 'run',
      group: 'g',
      names: NAMES,
      untilEnd: true,
      maxMessages: null,
      reset: null,
      adopt: false,
      create: true,
      signal: new AbortController().signal,
      on: (event) => events.push(event),
      ...asked,
    },
  );
}

function failureOf(work: Promise<unknown>): Promise<Failure> {
  return work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Failure,
  );
}

const sentTo = (topic: string) => broker.topics.get(topic)?.flat() ?? [];
const pens = (): number | undefined => folder.tables.items.get('pen')?.quantity;

it('a message that a processor cannot apply is a dead letter as it came, and those beside it count', async () => {
  const choosy: Processor<Delivery, Outcome> = {
    ...STOCK,
    decide: (received, state) => {
      const known = received.filter(({ message }) => message.item === 'pen');
      const refused: Refused = { kind: 'dead_letter', code: 'unknown_product', message: 'no ink' };
      return {
        changes: STOCK.decide(known, state).changes,
        results: received.map((one) => (known.includes(one) ? { kind: 'delivered' } : refused)),
      };
    },
  };
  arrive(FIVE_PENS, '{"item":"ink","quantity":1}', FIVE_PENS);
  const one = service(choosy);
  await run([one]);
  expect(pens()).toBe(11);
  expect(one.tally.totals()).toMatchObject({ read: 3, deadLettered: 1, outcomes: { delivered: 2 } });
  const [letter, more] = sentTo('dlq');
  expect(more).toBeUndefined();
  expect(text(letter?.value ?? null)).toBe('{"item":"ink","quantity":1}');
  const said = ['x-error-code', 'x-error-stage', 'x-original-topic', 'x-original-offset', 'x-original-group'];
  expect(said.map((name) => String(lastHeader(letter?.headers ?? [], name)))).toEqual([
    'unknown_product',
    'apply',
    'restocks',
    '1',
    'g.stock',
  ]);
});

it('commits what a processor changes together with the position, once', async () => {
  arrive(FIVE_PENS, 'no JSON', '{"item":"pen","quantity":2}');
  await run([service(STOCK)]);
  expect(pens()).toBe(8);
  expect(folder.stored.get('stock restocks/0')).toMatchObject({ next: 3 });
  expect(sentTo('dlq').map(({ value }) => text(value))).toEqual(['no JSON']);
  expect(events.at(-1)).toMatchObject({
    kind: 'ended',
    run: {
      stoppedBy: 'end',
      services: [{ processor: 'stock', totals: { read: 3, deadLettered: 1, outcomes: { delivered: 2 } } }],
    },
  });

  // Nothing is read again.
  await run([service(STOCK)]);
  expect(events.filter(({ kind }) => kind === 'committed')).toEqual([]);
  expect(pens()).toBe(8);
});

it('runs processors side by side, each with its group, to the end of what they send to each other', async () => {
  arrive(FIVE_PENS, FIVE_PENS);
  await run([service(COUNTER), service(STOCK)]);
  expect(folder.small.get('seen')?.get('pen')).toBe(2);
  expect([...folder.stored.values()].filter(({ next }) => next > 0)).toMatchObject([
    { processor: 'delivery', topic: 'alerts', partition: 0 },
    { processor: 'stock', topic: 'restocks', partition: 0 },
  ]);
  expect([...broker.committedBy.keys()].sort()).toEqual(['g.delivery alerts/0', 'g.stock restocks/0']);
  expect(events.at(-1)).toMatchObject({
    run: {
      stoppedBy: 'end',
      services: [{ totals: { outcomes: { alerts: 2 } } }, { totals: { outcomes: { delivered: 2 } } }],
    },
  });
});

it('tells a processor of several topics which message each is', async () => {
  broker.createTopic('alerts', 1);
  broker.append('alerts', 0, { value: new TextEncoder().encode('{"item":"pen"}') });
  arrive(FIVE_PENS);
  await run([service({ ...COUNTER, sources: [ALERT, SUPPLIER_RESTOCK] })]);
  expect(events.at(-1)).toMatchObject({
    run: { services: [{ totals: { outcomes: { alerts: 1, supplier_restocks: 1 } } }] },
  });
});

it.each([
  [{ kind: 'topic_changed' }, 'topic_changed'],
  [{ kind: 'offsets_gone', partition: 0 }, 'offsets_gone'],
  [{ kind: 'other_cluster' }, 'other_cluster'],
  [{ kind: 'skip_batch', partition: 0, next: 3 }, 'skip_batch'],
  // The topic has gone while it was read.
  [{ kind: 'other_topic' }, 'other_cluster'],
] as const)('a failure to read, %o, names the processor in its way out', async (fix, kind) => {
  arrive(FIVE_PENS);
  const context = { topic: 'alerts', partition: 0 };
  broker.beforeBatch = ({ topic }) => {
    if (topic === 'alerts') throw new Failure('topic_changed', 'changed', { fix, context });
  };
  const failure = await failureOf(run([service(STOCK), service(COUNTER)], { untilEnd: false }));
  const reader = { processor: 'delivery', topic: 'alerts' };
  expect(failure).toMatchObject({ code: 'topic_changed', context, fix: { ...fix, kind, reader } });
});

it('refuses to read on where a topic is gone, with the way out for the processor that has read it', async () => {
  arrive(FIVE_PENS);
  await run([service(STOCK), service(COUNTER)]);
  broker.topics.delete('alerts');
  expect(await failureOf(run([service(STOCK), service(COUNTER)]))).toMatchObject({
    code: 'topic_changed',
    fix: { kind: 'other_cluster', reader: { processor: 'delivery', topic: 'alerts' } },
  });
});

it('ends all when one fails for good', async () => {
  arrive(FIVE_PENS);
  broker.beforeBatch = ({ topic }) => {
    if (topic === 'alerts') throw new Failure('offsets_gone', 'deleted');
  };
  const failure = await failureOf(run([service(STOCK), service(COUNTER)], { untilEnd: false }));
  expect(failure).toMatchObject({ code: 'offsets_gone' });
  expect(events.at(-1)).toMatchObject({ kind: 'ended', run: { stoppedBy: 'error' } });
  expect(folder.owned).toBe(false);
});

it('ends, and passes over nothing, when the store has lost the position of what it reads', async () => {
  arrive(FIVE_PENS);
  let isLost = false;
  const on = ({ kind }: RunEvent): void => {
    if (kind !== 'committed' || isLost) return;
    isLost = true;
    folder.stored.delete('stock restocks/0');
    arrive(FIVE_PENS);
  };
  const failure = await failureOf(run([service(STOCK)], { untilEnd: false, on }));
  expect(failure).toMatchObject({ code: 'corrupt_state', context: { topic: 'restocks', partition: 0 } });
  expect(pens()).toBe(6);
});

it('sends the dead letters of a topic from the first of its readers alone; the others count them', async () => {
  broker.createTopic('alerts', 1);
  broker.append('alerts', 0, { value: new TextEncoder().encode('no JSON') });
  await run([service(COUNTER), service({ ...COUNTER, name: 'notification' })]);
  const totals = { read: 1, deadLettered: 1 };
  expect(events.at(-1)).toMatchObject({ run: { services: [{ totals }, { totals }] } });
  const dead = sentTo('alerts.dlq');
  expect(dead.map(({ headers }) => lastHeader(headers, 'x-original-group'))).toEqual(['g.delivery']);
});

describe('what is sent', () => {
  let stop: AbortController;
  beforeEach(() => {
    stop = new AbortController();
  });
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  it('has the headers of its catalogue, the trace of what led to it, and one id however often it goes', async () => {
    const value = new TextEncoder().encode(FIVE_PENS);
    broker.append('restocks', 0, { value, headers: [['traceparent', Buffer.from(trace)]] });
    broker.sendFailures = [new Failure('broker_unreachable', 'away')];
    broker.onSendFailure = () => 'lost_answer';
    await run([service(STOCK)]);
    const [first, second] = sentTo('alerts');
    expect(second).toEqual({ ...first, offset: 1, timestamp: 1_001 });
    const headers = new Map(first?.headers);
    expect(headers.get('ce_id')).toBe('model-folder/alerts/pen/0');
    expect(headers.get('ce_type')).toBe('orderctl.Alert');
    expect(headers.get('traceparent')).toBe(trace);
    expect(text(first?.key ?? null)).toBe('pen');
    expect(folder.outgoing).toEqual([]);
  });

  it('waits by itself for a destination that does not answer: others leave, and decisions go on', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const producer = broker.producer.bind(broker);
    broker.producer = async () => {
      const inner = await producer();
      return {
        ...inner,
        send: async (topic, records) => {
          if (topic === 'alerts') await answered;
          return inner.send(topic, records);
        },
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
      };
    };
    arrive(FIVE_PENS, 'no JSON', FIVE_PENS, FIVE_PENS);
    broker.batchRecords = 1;
    const seen: [number, number][] = [];
    broker.afterBatch = ({ next }) => {
      seen.push([sentTo('dlq').length, folder.outgoing.length]);
      if (next === 4) answer();
    };
    await run([service(STOCK)]);
    expect(seen.at(-1)).toEqual([1, 3]);
    expect(sentTo('alerts')).toHaveLength(3);
  });

  it('goes to a topic that is made again when it was deleted', async () => {
    arrive(FIVE_PENS, FIVE_PENS);
    broker.batchRecords = 1;
    broker.afterBatch = ({ next }) => {
      if (next === 1) broker.topics.delete('alerts');
    };
    await run([service(STOCK)]);
    const made = events.filter(({ kind }) => kind === 'topic_created' || kind === 'topic_gone');
    expect(made.slice(-1)).toEqual([{ kind: 'topic_created', topic: 'alerts', partitions: 3 }]);
    expect(made.some(({ kind }) => kind === 'topic_gone')).toBe(false);
    expect(sentTo('alerts')).toHaveLength(2);
    expect(folder.outgoing).toEqual([]);
  });

  it('waits, with one warning, for a topic that was deleted and may not be made again; everything else continues', async () => {
    for (const topic of ['alerts', 'dlq']) broker.createTopic(topic);
    arrive(FIVE_PENS, FIVE_PENS, 'no JSON');
    broker.batchRecords = 1;
    broker.afterBatch = ({ next }) => {
      if (next === 1) broker.topics.delete('alerts');
    };
    const running = run([service(STOCK)], { untilEnd: false, create: false, signal: stop.signal });
    while (sentTo('dlq').length === 0 || !events.some(({ kind }) => kind === 'topic_gone')) await turn();
    const before = folder.clock.now();
    while (folder.clock.now() < before + 10_000) await turn();
    expect(pens()).toBe(11);
    expect(events.filter(({ kind }) => kind === 'topic_gone')).toMatchObject([
      { failure: { code: 'topic_missing', fix: { kind: 'make_topic', topic: 'alerts' } } },
    ]);
    broker.createTopic('alerts');
    while (folder.outgoing.length > 0) await turn();
    expect(sentTo('alerts')).toHaveLength(2);
    stop.abort();
    await running;
  });

  it('waits, with one warning, for a schema that may not be registered; everything else continues', async () => {
    arrive(FIVE_PENS, 'no JSON');
    const missing = (): Failure =>
      new Failure('not_found', 'our schema is not registered', { fix: { kind: 'register_schema' } });
    codec.encodeFailures = Array.from({ length: 5 }, missing);
    await run([service(STOCK)]);
    expect(events.filter(({ kind }) => kind === 'topic_gone')).toMatchObject([
      { failure: { code: 'not_found', fix: { kind: 'register_schema' } } },
    ]);
    expect(sentTo('dlq')).toHaveLength(1);
    expect(sentTo('alerts')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ kind: 'ended', run: { stoppedBy: 'end' } });
  });

  it('is given up by a run that ends by itself when its topic does not come back', async () => {
    for (const topic of ['alerts', 'dlq']) broker.createTopic(topic);
    arrive(FIVE_PENS);
    broker.beforeBatch = () => void broker.topics.delete('alerts');
    const before = folder.clock.now();
    expect(await failureOf(run([service(STOCK)], { create: false }))).toMatchObject({
      code: 'topic_missing',
    });
    expect(folder.clock.now() - before).toBeGreaterThanOrEqual(60_000);
    expect(folder.outgoing).toHaveLength(1);
  });

  it('waits for the registry as for the brokers', async () => {
    arrive(FIVE_PENS);
    codec.encodeFailures = [new Failure('registry_unreachable', 'away')];
    await run([service(STOCK)]);
    expect(events.filter(({ kind }) => kind === 'waiting' || kind === 'resumed')).toEqual([
      expect.objectContaining({ kind: 'waiting', for: 'registry' }),
      { kind: 'resumed', for: 'registry' },
    ]);
    expect(sentTo('alerts')).toHaveLength(1);
  });

  it('is kept where no schema can hold it, and the others leave', async () => {
    arrive(FIVE_PENS, FIVE_PENS);
    const bad = new Failure('invalid_value', 'too long');
    codec.encodeFailures = [bad, bad];
    await run([service(STOCK)]);
    expect(folder.undelivered).toMatchObject([{ id: 'model-folder/alerts/pen/0', topic: 'alerts' }]);
    expect(JSON.parse(text(folder.undelivered[0]?.value ?? null))).toMatchObject({ item: 'pen' });
    expect(events).toContainEqual({ kind: 'undelivered', id: 'model-folder/alerts/pen/0', topic: 'alerts' });
    expect(sentTo('alerts')).toHaveLength(1);
  });

  it('follows from edits too, without a batch', async () => {
    const running = run([service(STOCK)], {
      untilEnd: false,
      signal: stop.signal,
      onEdits: (_edits, state) => {
        const cause = { store: state.storeId, of: ['pen', 'edit'], at: state.at, traceparent: null };
        return { outgoing: [outgoing(ALERT, { item: 'pen' } as Alert, cause)] };
      },
    });
    while (!events.some(({ kind }) => kind === 'started')) await turn();
    await folder.edit({ kind: 'item.update', item: 'pen', quantity: 7 });
    for (let turns = 0; turns < 500 && sentTo('alerts').length === 0; turns++) await turn();
    expect(sentTo('alerts')).toHaveLength(1);
    stop.abort();
    await running;
    expect(events.at(-1)).toMatchObject({ run: { stoppedBy: 'signal' } });
  });
});

/** One of two processors that read the cancellations of orders. */
function reader(name: 'payment' | 'notification'): Service {
  return service({
    name,
    sources: [ORDER_CANCELLED],
    emits: [],
    keys: () => ({}),
    decide: (received: readonly Received<unknown>[], state: State) =>
      decideEach(received, state, ({ record }) => ({
        ...({ kind: 'handled', about: String(record.offset), detail: '' } as const),
      })),
  });
}

it('a dead letter is sent by the first reader in the catalogue, once, whichever readers run together', async () => {
  broker.createTopic('orders.cancelled');
  broker.append('orders.cancelled', 0, { value: new TextEncoder().encode('no JSON') });
  const senders = () =>
    sentTo('orders.cancelled.dlq').map(({ headers }) => lastHeader(headers, 'x-original-group'));
  await run([reader('notification')]);
  expect(senders()).toEqual([]);
  broker.append('orders.cancelled', 0, { value: new TextEncoder().encode('nor this') });
  await run([reader('notification'), reader('payment')]);
  expect(senders()).toEqual(['g.payment', 'g.payment']);
});

it('a record that is redriven to one group is ignored by the others that read the topic', async () => {
  broker.createTopic('orders.cancelled');
  const value = new TextEncoder().encode('{}');
  broker.append('orders.cancelled', 0, { value, headers: [['x-original-group', 'g.payment']] });
  broker.append('orders.cancelled', 0, { value });
  // The group has another name since.
  broker.append('orders.cancelled', 0, { value, headers: [['x-original-group', 'former.payment']] });
  await run([reader('payment'), reader('notification')]);
  expect(events.at(-1)).toMatchObject({
    run: {
      services: [
        { processor: 'payment', totals: { outcomes: { handled: 3 } } },
        { processor: 'notification', totals: { outcomes: { handled: 1, ignored: 2 } } },
      ],
    },
  });
});
