import { beforeEach, describe, expect, it } from 'vitest';
import { checkLines, ordersFromLines } from '../../src/app/send/orders-from-lines.ts';
import {
  produceOrders,
  sampleOrders,
  seededRandom,
  type Numbered,
  type ProduceEvent,
  type ProduceOptions,
  type ProduceSummary,
} from '../../src/app/send/produce.ts';
import {
  replayOrders,
  type ReplayEvent,
  type ReplayOptions,
  type ReplaySummary,
} from '../../src/app/send/replay.ts';
import type { Decided } from '../../src/domain/orders/decided.ts';
import { clientHeaders } from '../../src/domain/messages/headers.ts';
import { ORDER } from '../../src/domain/messages/shop/order.ts';
import { unsampledTrace } from '../../src/domain/messages/trace.ts';
import { lastHeader } from '../../src/ports/record.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { PlainCodec } from '../support/plain-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { fixText } from '../support/ways-out.ts';

let clock: FakeClock;
let folder: ModelFolder;
let broker: ScriptedBroker;
const codec = new PlainCodec();

beforeEach(async () => {
  clock = new FakeClock();
  folder = new ModelFolder(clock);
  broker = new ScriptedBroker();
  broker.createTopic('orders');
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'user.add', user: 'bob', status: 'unpaid' });
  await folder.edit({ kind: 'item.add', item: 'book', quantity: 10, price: '12.50' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 10 });
});

function sentOrders(topic = 'orders'): Order[] {
  const records = broker.topics.get(topic)?.flat() ?? [];
  return records.map(({ value }) => JSON.parse(new TextDecoder().decode(value ?? new Uint8Array())) as Order);
}

function failureOf(run: Promise<unknown>): Promise<Failure> {
  return run.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Failure,
  );
}

describe('sampleOrders', () => {
  const sample = async (seed: number, count: number, from = 1, withPrice = false): Promise<Order[]> => {
    let id = 0;
    const options = {
      withPrice,
      count,
      from,
      random: seededRandom(seed),
      newOrderId: () => `ORD-${id++}`,
      clock,
    };
    return [...(await sampleOrders(folder, options))].map(({ order }) => order);
  };

  it('of the checkout have only items with a price', async () => {
    const items = (await sample(1, 50, 1, true)).flatMap((order) => order.items.map(({ item }) => item));
    expect(new Set(items)).toEqual(new Set(['book']));
  });

  it('gives one to three lines of one to three of known items, for known users, unpaid ones too', async () => {
    // Who was erased places none.
    await folder.edit({ kind: 'user.add', user: 'erased-0123456789ab', status: 'paid' });
    const orders = await sample(1, 500);
    expect(orders).toHaveLength(500);
    expect(new Set(orders.map(({ user }) => user))).toEqual(new Set(['alice', 'bob']));
    for (const { items } of orders) {
      expect(items.length).toBeGreaterThanOrEqual(1);
      expect(items.length).toBeLessThanOrEqual(3);
      for (const { item, quantity, unitPrice } of items) {
        expect([1, 2, 3]).toContain(quantity);
        expect(unitPrice).toBe(item === 'book' ? '12.50' : null);
      }
    }
  });

  it('gives the same orders for the same seed, others for another', async () => {
    expect(await sample(7, 20)).toEqual(await sample(7, 20));
    expect(await sample(7, 20)).not.toEqual(await sample(8, 20));
  });

  it('gives the rest of a sequence as they would be in the whole', async () => {
    expect(await sample(7, 20, 13)).toEqual((await sample(7, 20)).slice(12));
    expect(await sample(7, 20, 21)).toEqual([]);
  });

  it('needs users and items, and names the command that adds them', async () => {
    folder.tables.users.clear();
    expect(await failureOf(sample(1, 1))).toMatchObject({ code: 'not_found' });
    expect(fixText(await failureOf(sample(1, 1)))).toContain('user add');
    await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
    folder.tables.items.clear();
    expect(fixText(await failureOf(sample(1, 1)))).toContain('inventory add');
  });
});

function orders(count: number): Numbered[] {
  return Array.from({ length: count }, (_, i) => ({
    number: i + 1,
    order: {
      orderId: `ORD-${i}`,
      user: 'alice',
      items: [{ item: 'book', quantity: 1, unitPrice: null }],
      createdAt: i,
    },
  }));
}

describe('produce', () => {
  let events: ProduceEvent[];
  const produce = async (options: Partial<ProduceOptions>): Promise<void> => {
    events = [];
    await produceOrders(
      { broker, codec, clock },
      {
        topic: 'orders',
        orders: orders(5),
        count: 5,
        resume: 'count',
        delayMs: 0,
        create: true,
        signal: new AbortController().signal,
        on: (event) => events.push(event),
        ...options,
      },
    );
  };
  const summary = (): ProduceSummary => {
    const event = events.at(-1);
    if (event?.kind !== 'summary') throw new Error('no summary');
    return event.summary;
  };

  it('sends every order in order, keyed by its id, and tells where each went', async () => {
    await produce({ orders: orders(4100), count: 4100 });
    expect(sentOrders().map(({ orderId }) => orderId)).toEqual(
      orders(4100).map(({ order }) => order.orderId),
    );
    expect(new TextDecoder().decode(broker.topics.get('orders')?.[0]?.[3]?.key ?? new Uint8Array())).toBe(
      'ORD-3',
    );
    const reported = events.flatMap((event) => (event.kind === 'sent' ? event.orders : []));
    expect(reported.map(({ offset }) => offset)).toEqual(Array.from({ length: 4100 }, (_, i) => i));
    expect(summary()).toMatchObject({ sent: 4100, failed: 0, interrupted: false });
  });

  it('pauses between orders, not before the first nor after the last', async () => {
    await produce({ delayMs: 500 });
    expect(clock.slept).toEqual([500, 500, 500, 500]);
    expect(summary().seconds).toBe(2);
  });

  it('makes each paced order when it is due, so that it bears the time at which it is sent', async () => {
    let id = 0;
    const options = { count: 3, from: 1, random: seededRandom(1), newOrderId: () => `ORD-${id++}`, clock };
    const from = clock.now();
    await produce({ orders: await sampleOrders(folder, options), count: 3, delayMs: 1000 });
    expect(sentOrders().map(({ createdAt }) => createdAt - from)).toEqual([0, 1000, 2000]);
  });

  it('creates the topic with a word', async () => {
    broker.topics.clear();
    await produce({});
    expect(events[0]).toMatchObject({ kind: 'topic_created', topic: 'orders', partitions: 6 });
  });

  it('interrupted, says how many went and how to go on', async () => {
    const controller = new AbortController();
    const stopAfterTwo = (event: ProduceEvent): void => {
      events.push(event);
      if (events.filter(({ kind }) => kind === 'sent').length === 2) controller.abort();
    };
    const failure = await failureOf(produce({ delayMs: 1, signal: controller.signal, on: stopAfterTwo }));
    expect(failure.code).toBe('interrupted');
    expect(fixText(failure)).toBe('to continue: the same command with --count 3');
    expect(summary()).toMatchObject({ sent: 2, interrupted: true });
    expect(sentOrders()).toHaveLength(2);
  });

  it('that runs until stopped ends well when stopped', async () => {
    const controller = new AbortController();
    const endless = function* (): Iterable<Numbered> {
      for (let number = 1; ; number++) {
        yield { number, order: { orderId: `ORD-${number}`, user: 'alice', items: [], createdAt: 0 } };
      }
    };
    await produce({
      orders: endless(),
      count: null,
      delayMs: 1000,
      signal: controller.signal,
      on: (event) => {
        events.push(event);
        if (clock.slept.length === 3) controller.abort();
      },
    });
    expect(summary()).toMatchObject({ interrupted: false, sent: 4 });
  });

  it('names an order that the topic does not take, and tells of all others of its send', async () => {
    const lines = Array.from({ length: 40 }, () => ({ item: 'book', quantity: 1, unitPrice: null }));
    const order: Order = { orderId: 'LARGE', user: 'alice', items: lines, createdAt: 0 };
    const large: Numbered = { number: 2, order };
    const [first, ...rest] = orders(3);
    const failure = await failureOf(produce({ orders: [first, large, ...rest].flatMap((one) => one ?? []) }));
    expect(failure).toMatchObject({ code: 'invalid_value', context: { orderId: 'LARGE' } });
    expect(summary()).toMatchObject({ sent: 3, failed: 1 });
    expect(events.flatMap((event) => (event.kind === 'sent' ? event.orders : []))).toHaveLength(3);
  });

  it('leaves with the failure of a send, after a summary that counts it', async () => {
    broker.sendFailures = [new Failure('broker_unreachable', 'away')];
    expect(await failureOf(produce({}))).toMatchObject({ code: 'broker_unreachable' });
    expect(summary()).toMatchObject({ sent: 0, failed: 5, unknown: 0, interrupted: false });
  });

  describe('without an answer for some', () => {
    beforeEach(() => {
      broker.sendFailures = [new Failure('broker_unreachable', 'away', { fix: 'start it' })];
      const fates = ['sent', 'lost_answer', 'unknown', 'not_sent', 'sent'] as const;
      broker.onSendFailure = (index) => fates[index] ?? 'not_sent';
    });

    it('counts them apart, names their ids, and gives them out', async () => {
      const failure = await failureOf(produce({}));
      expect(failure).toMatchObject({ code: 'broker_unreachable', context: { orderId: 'ORD-1' } });
      expect(failure.message).toBe('away; whether these orders are stored is unknown: ORD-1, ORD-2');
      expect(summary()).toMatchObject({ sent: 2, failed: 1, unknown: 2, interrupted: false });
      const unknown = events.flatMap((event) => (event.kind === 'unknown' ? event.orders : []));
      expect(unknown.map(({ orderId }) => orderId)).toEqual(['ORD-1', 'ORD-2']);
    });

    it.each([
      [
        'count',
        'pass the lines {"type":"unknown",…} to "orderctl produce --file -", then the same command with --count 1',
      ],
      ['from', 'the same command with --from 2'],
      ['from_line', 'the same command with --from-line 2'],
      ['order_id', 'the same command with --order-id ORD-1'],
    ] as const)('says how to send them again under the same ids: %s', async (resume, way) => {
      const failure = await failureOf(produce({ resume }));
      expect(fixText(failure)).toBe(`start it; then to send them again under the same ids: ${way}`);
    });

    it('promises no ids to others of the same number', async () => {
      broker.onSendFailure = () => 'not_sent';
      expect(fixText(await failureOf(produce({ resume: 'count' })))).toBe(
        'start it; then to continue: the same command with --count 5',
      );
    });

    it('is an interruption when it was stopped, and a failure when it was to run until then', async () => {
      const stopped = (count: number | null): Promise<Failure> => {
        const controller = new AbortController();
        broker.sendFailures = [new Failure('broker_unreachable', 'away')];
        broker.onSendFailure = () => {
          controller.abort();
          return 'unknown';
        };
        return failureOf(produce({ count, resume: 'from', signal: controller.signal }));
      };
      const finite = await stopped(5);
      expect(finite.code).toBe('interrupted');
      expect(fixText(finite)).toBe('to continue: the same command with --from 1');
      expect(finite.message).toContain('unknown: ORD-0, ORD-1');
      expect(summary()).toMatchObject({ unknown: 5, interrupted: true });
      expect(await stopped(null)).toMatchObject({ code: 'broker_unreachable' });
      expect(summary()).toMatchObject({ unknown: 5, interrupted: false });
    });
  });

  it('stopped while nobody answers ends at once, with its summary', async () => {
    const controller = new AbortController();
    for (const part of ['admin', 'producer'] as const) {
      const stuck = Object.assign(new ScriptedBroker(), {
        [part]: () => {
          controller.abort();
          return part === 'producer' ? new Promise(() => undefined) : admin;
        },
      });
      stuck.createTopic('orders');
      const admin = new ScriptedBroker()
        .admin()
        .then((one) => ({ ...one, partitionCount: () => new Promise(() => undefined) }));
      broker = stuck;
      const failure = await failureOf(produce({ signal: controller.signal }));
      expect(failure.code).toBe('interrupted');
      expect(fixText(failure)).toBe('to continue: run the same command again');
      expect(summary()).toMatchObject({ sent: 0, interrupted: true });
      await produce({ count: null, signal: controller.signal });
      expect(summary()).toMatchObject({ sent: 0, interrupted: false });
    }
  });
});

describe('produce from lines', () => {
  const lines = async function* (...texts: string[]): AsyncGenerator<string> {
    yield* texts;
  };
  const run = async (...texts: string[]): Promise<void> => {
    const options = { clock, idOf: (line: number) => `NEW-${line}` };
    await produceOrders(
      { broker, codec, clock },
      {
        topic: 'orders',
        orders: ordersFromLines(lines(...texts), 'in.ndjson', options),
        count: null,
        resume: 'from_line',
        delayMs: 0,
        create: true,
        signal: new AbortController().signal,
        on: () => undefined,
      },
    );
  };
  const good = '{"order_id":"A","user":"alice","items":[{"item":"book","quantity":1}],"note":"ignored"}';

  it('makes missing ids and ignores unknown keys and empty lines', async () => {
    await run(good, '', '{"user":"bob","item":"pen","quantity":-2}');
    expect(sentOrders().map(({ orderId }) => orderId)).toEqual(['A', 'NEW-3']);
  });

  it.each([
    ['not JSON', '{"order_id":'],
    ['no user', '{"order_id":"B","items":[]}'],
    ['a fraction', '{"user":"bob","item":"pen","quantity":1.5}'],
  ])('are checked before any is sent: %s', async (_, bad) => {
    const { signal } = new AbortController();
    for (const from of [1, 4]) {
      const check = checkLines(lines(good, '', bad, good), 'in.ndjson', { from, clock, signal });
      const failure = await failureOf(check);
      expect(failure).toMatchObject({ code: 'invalid_input', context: { file: 'in.ndjson', line: 3 } });
      expect(failure.message).toMatch(/^in\.ndjson:3: .*; nothing was sent$/);
    }
  });

  it('are counted from the line on that is asked for', async () => {
    const { signal } = new AbortController();
    const check = (from: number) =>
      checkLines(lines(good, '', '{"user":"bob","item":"pen","quantity":1}', ''), 'in.ndjson', {
        from,
        clock,
        signal,
      });
    expect(await check(1)).toEqual({ orders: 2, withoutId: 1 });
    expect(await check(2)).toEqual({ orders: 1, withoutId: 1 });
    expect(await failureOf(check(4))).toMatchObject({
      code: 'invalid_value',
      fix: 'its last order is at line 3',
    });
  });
});

describe('replay', () => {
  let events: ReplayEvent[];
  const replay = async (options: Partial<ReplayOptions> = {}): Promise<ReplaySummary> => {
    events = [];
    await replayOrders(
      { access: folder, broker, codec, clock, newReplayId: () => 'replay-1' },
      {
        topic: 'orders',
        orderId: null,
        user: null,
        item: null,
        sinceMs: null,
        untilMs: null,
        limit: null,
        resumeAfter: null,
        rejected: false,
        asNew: false,
        again: false,
        dryRun: false,
        delayMs: 0,
        create: true,
        signal: new AbortController().signal,
        on: (event) => events.push(event),
        ...options,
      },
    );
    return lastSummary();
  };
  const lastSummary = (): ReplaySummary => {
    const event = events.at(-1);
    if (event?.kind !== 'summary') throw new Error('no summary');
    return event.summary;
  };
  const decide = (orderId: string, user: string, item: string, quantity: number, decidedAt: number): void => {
    const rejected = user === 'bob';
    const decided: Decided = {
      order: { orderId, user, items: [{ item, quantity, unitPrice: null }], createdAt: 5 },
      record: { topic: 'orders', partition: 0, offset: decidedAt },
      outcome: rejected
        ? {
            kind: 'rejected',
            reason: 'user_not_paid',
            detail: 'user bob is unpaid',
            userStatus: 'unpaid',
            stock: [1],
          }
        : { kind: 'accepted', stock: [10] },
      decidedAt,
    };
    folder.apply({ decisions: [decided] });
  };
  beforeEach(() => {
    decide('A', 'alice', 'book', 1, 100);
    decide('B', 'bob', 'book', 1, 200);
    decide('C', 'alice', 'pen', 2, 300);
    decide('D', 'bob', 'pen', 1.5, 400);
    decide('E', 'alice', 'pen', 1, 500);
  });
  const ids = (): string[] => sentOrders().map(({ orderId }) => orderId);

  it('sends the accepted orders again, in order, with the same ids and a replay id', async () => {
    expect(await replay()).toMatchObject({
      selected: 3,
      sent: 3,
      alreadyDecided: 3,
      undecided: 0,
      interrupted: false,
      resumeAfter: null,
      replayId: 'replay-1',
    });
    expect(ids()).toEqual(['A', 'C', 'E']);
    expect(broker.topics.get('orders')?.[0]?.[0]?.headers).toEqual([
      ...clientHeaders(ORDER, 'A', { at: clock.now() }),
      ['x-replay-id', 'replay-1'],
      ['x-replay-count', '1'],
      ['x-replayed-at', '2026-01-02T03:04:05.006Z'],
    ]);
  });

  it('links an order to the trace that led to its decision, also under another id, and continues none', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await using reader = await folder.read();
    const decided = await reader.decided('C');
    if (decided === undefined) throw new Error('C is not decided');
    folder.apply({
      decisions: [{ ...decided, order: { ...decided.order, orderId: 'T' }, traceparent }],
    });
    await replay({ orderId: 'T' });
    await replay({ orderId: 'T', asNew: true, again: true });
    await replay({ orderId: 'C' });
    const traces = broker.topics.get('orders')?.[0]?.map(({ headers }) => lastHeader(headers, 'traceparent'));
    expect(traces).toEqual([
      unsampledTrace('client/orders/T'),
      unsampledTrace('client/orders/T.r1'),
      unsampledTrace('client/orders/C'),
    ]);
    expect(broker.links).toEqual([traceparent, traceparent, undefined]);
  });

  it.each<[Partial<ReplayOptions>, string[]]>([
    [{ orderId: 'C' }, ['C']],
    [{ user: 'carol' }, []],
    [{ item: 'pen' }, ['C', 'E']],
    [{ sinceMs: 300 }, ['C', 'E']],
    [{ untilMs: 300 }, ['A']],
    [{ limit: 2 }, ['A', 'C']],
    [{ limit: 1, resumeAfter: 'A' }, ['C']],
    [{ item: 'pen', sinceMs: 300, untilMs: 500, user: 'alice' }, ['C']],
    [{ orderId: 'C', item: 'book' }, []],
  ])('selects %j', async (filter, expected) => {
    const summary = await replay(filter);
    expect(ids()).toEqual(expected);
    expect(summary.selected).toBe(expected.length);
  });

  it('as new gives new ids, also for rejected orders; what the schema cannot hold is named', async () => {
    expect(await replay({ asNew: true, limit: 1 })).toMatchObject({ alreadyDecided: 0, undecided: 1 });
    expect(ids()).toEqual(['A.r1']);
    const expected = { selected: 2, failed: 1, alreadyDecided: 0, undecided: 1 };
    for (const dryRun of [true, false]) {
      const failure = await failureOf(replay({ asNew: true, rejected: true, dryRun }));
      expect(failure).toMatchObject({ code: 'invalid_input', context: { orderId: 'D' } });
      expect(lastSummary()).toMatchObject({ ...expected, sent: dryRun ? 0 : 1, resumeAfter: null });
    }
    expect(events).toContainEqual(expect.objectContaining({ kind: 'not_sent', orderId: 'D' }));
  });

  it('sends nothing on a dry run or for an empty log, and needs no broker for that', async () => {
    broker.admin = () => Promise.reject(new Error('no broker was needed'));
    broker.producer = () => Promise.reject(new Error('no broker was needed'));
    expect(await replay({ dryRun: true })).toMatchObject({ selected: 3, sent: 0, dryRun: true });
    folder.accepted.length = 0;
    expect(await replay()).toMatchObject({ selected: 0, sent: 0 });
  });

  it('goes to another topic on request', async () => {
    await replay({ topic: 'copy' });
    expect(sentOrders('copy')).toHaveLength(3);
    expect(sentOrders()).toHaveLength(0);
  });

  it('refuses what makes no sense, with the way out', async () => {
    expect(await failureOf(replay({ rejected: true }))).toMatchObject({
      code: 'usage',
      fix: { kind: 'as_new' },
    });
    expect(await failureOf(replay({ orderId: 'nope' }))).toMatchObject({ code: 'not_found' });
    const final = await failureOf(replay({ orderId: 'B' }));
    expect(final).toMatchObject({ code: 'already_decided', context: { orderId: 'B' } });
    expect(fixText(final)).toBe(
      'to try it again under a new id: orderctl replay --rejected --order B --as-new',
    );
    expect(fixText(await failureOf(replay({ orderId: 'D' })))).toBe(
      'ask its sender to send a different order',
    );
    expect(await failureOf(replay({ orderId: 'A', rejected: true, asNew: true }))).toMatchObject({
      code: 'already_decided',
    });
    expect(await failureOf(replay({ again: true }))).toMatchObject({
      code: 'usage',
      fix: { kind: 'as_new' },
    });
    expect(await failureOf(replay({ resumeAfter: 'nope' }))).toMatchObject({ code: 'not_found' });
  });

  describe('of rejected orders under new ids', () => {
    const retry = (options: Partial<ReplayOptions> = {}) =>
      replay({ rejected: true, asNew: true, orderId: null, item: 'book', ...options });
    const newIds = async (options: Partial<ReplayOptions> = {}): Promise<string[]> => {
      const before = sentOrders().length;
      await retry(options);
      return sentOrders()
        .slice(before)
        .map(({ orderId }) => orderId);
    };
    /** As the consumer decides a try. */
    const decideTry = (orderId: string, accepted: boolean): void => {
      decide(orderId, accepted ? 'alice' : 'bob', 'book', 1, 600);
      const log = accepted ? folder.accepted : folder.rejected;
      const last = log.pop();
      if (last === undefined) throw new Error('nothing was decided');
      const decided = { ...last, order: { ...last.order, user: 'bob' } };
      log.push(decided);
      folder.byId.set(orderId, decided);
    };

    it('sends the same id until it is decided, and the next one after a rejection', async () => {
      expect(await newIds()).toEqual(['B.r1']);
      expect(await newIds()).toEqual(['B.r1']);
      decideTry('B.r1', false);
      // B and B.r1 are both in the log of rejections: they are one order.
      expect(await newIds()).toEqual(['B.r2']);
      expect(await newIds()).toEqual(['B.r2']);
      expect(await newIds({ orderId: 'B' })).toEqual(['B.r2']);
      expect(await newIds({ orderId: 'B.r1' })).toEqual(['B.r2']);
      expect(await newIds({ sinceMs: 600 })).toEqual(['B.r2']);
    });

    it('fulfils an order once, however often it is run; --again orders it once more', async () => {
      decideTry('B.r1', false);
      decideTry('B.r2', true);
      expect(await newIds()).toEqual([]);
      expect(lastSummary()).toMatchObject({ selected: 1, sent: 0, failed: 0, fulfilled: 1, undecided: 0 });
      expect(events).toContainEqual({ kind: 'fulfilled', orderId: 'B', by: 'B.r2' });
      const refused = await failureOf(retry({ orderId: 'B' }));
      expect(refused).toMatchObject({ code: 'already_decided', context: { orderId: 'B' } });
      expect(refused.message).toContain('accepted as B.r2');
      expect(fixText(refused)).toBe(
        'to order the same once more: orderctl replay --rejected --order B --as-new --again',
      );
      const final = await failureOf(replay({ orderId: 'B' }));
      expect(final).toMatchObject({ code: 'already_decided' });
      expect(fixText(final)).toContain('it was accepted as B.r2');
      expect(await retry({ dryRun: true, again: true })).toMatchObject({ selected: 1, undecided: 1 });
      expect(await newIds({ again: true })).toEqual(['B.r3']);
      expect(await newIds({ again: true, orderId: 'B' })).toEqual(['B.r3']);
    });

    it('counts for --limit what is sent, not what is left out', async () => {
      decideTry('B.r1', true);
      decide('F', 'bob', 'book', 1.5, 650);
      decide('G', 'bob', 'book', 2, 700);
      decide('H', 'bob', 'book', 3, 800);
      expect(await failureOf(newIds({ limit: 1 }))).toMatchObject({ code: 'invalid_input' });
      expect(ids()).toEqual(['G.r1']);
      expect(lastSummary()).toMatchObject({ selected: 3, sent: 1, failed: 1, fulfilled: 1 });
    });

    it("leaves ids alone that are somebody's own names", async () => {
      // Another order of that name: not a try, and its number is taken.
      decide('B.r1', 'bob', 'book', 7, 600);
      expect(await newIds()).toEqual(['B.r2', 'B.r1.r1']);
      decide('B.r2', 'alice', 'book', 1, 650);
      expect(await newIds({ orderId: 'B' })).toEqual(['B.r3']);
      decide('X.r3', 'bob', 'book', 2, 700);
      expect(await newIds({ orderId: 'X.r3' })).toEqual(['X.r3.r1']);
    });

    it('goes on behind the order that is named, and takes no try of one before it', async () => {
      decide('F', 'bob', 'book', 3, 600);
      decideTry('B.r1', false);
      expect(await newIds({ resumeAfter: 'B' })).toEqual(['F.r1']);
    });

    it('sends none whose id would be too long for a name, and says so', async () => {
      const long = 'L'.repeat(125);
      decide(long, 'bob', 'book', 1, 600);
      decide(`${long}LL`, 'bob', 'book', 2, 700);
      expect(await failureOf(newIds())).toMatchObject({ code: 'invalid_input' });
      expect(ids()).toEqual(['B.r1', `${long}.r1`]);
      expect(`${long}.r1`).toHaveLength(128);
      expect(lastSummary()).toMatchObject({ selected: 3, sent: 2, failed: 1 });
      expect(events).toContainEqual(expect.objectContaining({ kind: 'not_sent', orderId: `${long}LL` }));
    });
  });

  it('finds the one order that is named without reading the log', async () => {
    folder.read = async () => {
      const reader = await ModelFolder.prototype.read.call(folder);
      return Object.assign(reader, {
        decisions: () => {
          throw new Error('the log was read');
        },
      });
    };
    expect(await replay({ orderId: 'E' })).toMatchObject({ selected: 1, sent: 1 });
    expect(ids()).toEqual(['E']);
  });

  it('goes on where it was interrupted: each order once, and no more than the limit in all', async () => {
    const controller = new AbortController();
    const limited = replay({
      delayMs: 10,
      limit: 2,
      signal: controller.signal,
      on: (event) => {
        events.push(event);
        if (event.kind === 'sent') controller.abort();
      },
    });
    expect(fixText(await failureOf(limited))).toBe(
      'to continue, run the same command with --resume-after A --limit 1',
    );
    expect(lastSummary()).toMatchObject({ sent: 1, alreadyDecided: 1, resumeAfter: 'A' });
    await replay({ delayMs: 10, limit: 1, resumeAfter: 'A' });
    expect(ids()).toEqual(['A', 'C']);
  });

  it('that fails names the order to resume after in its summary', async () => {
    broker.sendFailures = [];
    const failure = await failureOf(
      replay({
        delayMs: 10,
        on: (event) => {
          events.push(event);
          if (event.kind === 'sent') broker.sendFailures = [new Failure('broker_unreachable', 'away')];
        },
      }),
    );
    expect(failure).toMatchObject({ code: 'broker_unreachable' });
    expect(lastSummary()).toMatchObject({ sent: 1, failed: 1, interrupted: false, resumeAfter: 'A' });
  });

  it('interrupted, names the order to resume after', async () => {
    const controller = new AbortController();
    const failure = await failureOf(
      replay({
        delayMs: 10,
        signal: controller.signal,
        on: (event) => {
          events.push(event);
          if (event.kind === 'sent') controller.abort();
        },
      }),
    );
    expect(failure).toMatchObject({ code: 'interrupted' });
    expect(fixText(failure)).toContain('--resume-after A');
    expect(lastSummary()).toMatchObject({ sent: 1, interrupted: true, resumeAfter: 'A' });
  });
});
