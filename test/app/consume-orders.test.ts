import { beforeEach, describe, expect, it } from 'vitest';
import { RESTORED, RESTORED_KEY } from '../../src/domain/messages/restored.ts';
import type { ConsumeOptions, ConsumeOrdersEvent, ConsumeSummary } from '../../src/app/run/events.ts';
import { consumeOrders } from '../../src/app/run/consume.ts';
import { prepareRun } from '../../src/app/run/prepare.ts';
import { markOf } from '../../src/app/offsets/plan.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';
import type { Headers } from '../../src/ports/record.ts';
import { lastHeader } from '../../src/ports/record.ts';
import { orders } from '../../src/processors/orders/processor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { encodeOrder, PlainCodec } from '../support/plain-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { fixText } from '../support/ways-out.ts';

let clock: FakeClock;
let folder: ModelFolder;
let broker: ScriptedBroker;
let codec: PlainCodec;
let events: ConsumeOrdersEvent[];

beforeEach(async () => {
  clock = new FakeClock();
  folder = new ModelFolder(clock);
  broker = new ScriptedBroker();
  codec = new PlainCodec();
  events = [];
  broker.createTopic('orders', 2);
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'user.add', user: 'bob', status: 'unpaid' });
  await folder.edit({ kind: 'item.add', item: 'book', quantity: 10 });
});

function order(orderId: string, user = 'alice', quantity = 1): Order {
  return { orderId, user, items: [{ item: 'book', quantity, unitPrice: null }], createdAt: 1 };
}

function send(...orders: (Order | string)[]): void {
  for (const entry of orders) {
    const value = typeof entry === 'string' ? new TextEncoder().encode(entry) : encodeOrder(entry);
    broker.append('orders', 0, { value, key: new TextEncoder().encode('key') });
  }
}

async function consume(options: Partial<ConsumeOptions> = {}): Promise<ConsumeSummary> {
  await consumeOrders(
    { access: folder, broker, codecOf: async () => codec, clock },
    {
      names: new Map(),
      shop: PLAIN_SHOP,
      group: 'g',
      untilEnd: true,
      maxMessages: null,
      reset: null,
      adopt: false,
      create: true,
      signal: new AbortController().signal,
      on: (event) => events.push(event),
      ...options,
    },
  );
  return lastSummary();
}

function lastSummary(): ConsumeSummary {
  const event = events.at(-1);
  if (event?.kind !== 'summary') throw new Error('the last event is not the summary');
  return event.summary;
}

function next(partition = 0): number | undefined {
  return folder.stored.get(`orders orders/${partition}`)?.next;
}

function failureOf(run: Promise<unknown>): Promise<Failure> {
  return run.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Failure,
  );
}

/** Gives what is under way its turn until this is so, within reason. */
async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (let turns = 0; turns < 500 && !isSo(); turns += 1)
    await new Promise((resolve) => setImmediate(resolve));
}

describe('consume', () => {
  it('announces at its start what was sold and edited while no run sent events', async () => {
    const shop = { ...PLAIN_SHOP, events: { lowStock: 1 } };
    send(order('A'));
    await consume({ shop });
    send(order('B', 'alice', 3));
    await consume();
    await folder.edit({ kind: 'item.update', item: 'book', by: -5 });
    const announced = (): number => broker.topics.get('inventory-events')?.flat().length ?? 0;
    expect(announced()).toBe(1);
    await consume({ shop });
    expect(announced()).toBe(2);
    expect(folder.tables.items.get('book')?.quantity).toBe(1);
    await consume({ shop });
    expect(announced()).toBe(2);
  });

  it('sends what waits for the batches behind it before it stops', async () => {
    broker.batchRecords = 2;
    send(order('A'), 'garbage', order('B'), order('C'));
    const summary = await consume({ untilEnd: false, maxMessages: 2 });
    expect(summary).toMatchObject({ read: 2, accepted: 1, deadLettered: 1, stoppedBy: 'max_messages' });
    expect(broker.topics.get('orders.dlq')?.[0]).toHaveLength(1);
    expect(folder.outgoing).toHaveLength(0);
  });

  it('sends dead letters at once when what was expected did not come, and nothing follows', async () => {
    broker.misleads = true;
    broker.batchRecords = 2;
    send(order('A'), order('B'), 'garbage', order('C'));
    const sent: (number | undefined)[] = [];
    broker.afterBatch = () => void sent.push(broker.topics.get('orders.dlq')?.[0]?.length);
    await consume();
    expect(sent).toEqual([0, 1]);
  });

  it('sends dead letters beside the batches, and lets few wait, however much is at hand', async () => {
    broker.batchRecords = 300;
    send(...Array.from({ length: 12_000 }, () => 'garbage'));
    const waiting: number[] = [];
    broker.afterBatch = () => void waiting.push(folder.outgoing.length);
    await consume();
    expect(Math.max(...waiting)).toBeLessThan(2_000);
    expect(broker.topics.get('orders.dlq')?.[0]).toHaveLength(12_000);
  });

  it.each([
    ['come', false],
    ['do not come', true],
  ])(
    'decodes the records that are expected while it stores, and decides them once if they %s',
    async (_, misleads) => {
      broker.misleads = misleads;
      broker.batchRecords = 2;
      send(order('A'), 'garbage', order('B', 'bob'), order('C'), order('A'), order('D'));
      // Of the second batch, while the first one is stored: who needs it asks again.
      codec.decodeFailures = [undefined, new Failure('registry_unreachable', 'no registry')];
      const summary = await consume();
      expect(summary).toMatchObject({
        read: 6,
        accepted: 3,
        rejected: 1,
        duplicates: 1,
        deadLettered: 1,
        commits: 3,
      });
      // The dead letter of the first batch had to wait for the others.
      expect(broker.topics.get('orders.dlq')?.[0]).toHaveLength(1);
      expect(folder.outgoing).toHaveLength(0);
      // Three batches; those after the first one twice where the first time was in vain, and once more after the failure.
      expect(codec.decoded).toBe(misleads ? 5 : 4);
    },
  );

  it('decides each record once, in one commit with the position', async () => {
    send(
      order('A', 'alice', 2),
      order('B', 'bob'),
      order('A', 'alice', 2),
      order('A', 'alice', 3),
      order('C', 'alice', 9),
    );
    const summary = await consume();
    expect(summary).toMatchObject({
      read: 5,
      accepted: 1,
      rejected: 2,
      duplicates: 1,
      conflicts: 1,
      deadLettered: 0,
      rejectedByReason: { user_not_paid: 1, insufficient_stock: 1 },
      commits: 2,
      stoppedBy: 'end',
      skipped: 0,
    });
    expect(folder.tables.items.get('book')?.quantity).toBe(8);
    expect(folder.accepted.map(({ order: { orderId } }) => orderId)).toEqual(['A']);
    expect(next()).toBe(5);
    expect(folder.stored.get('orders orders/0')?.last).toEqual({ offset: 4, timestamp: 1004, crc: 28 });
    expect(broker.committedBy.get('0')).toMatchObject({ offset: 5, metadata: markOf('model-folder') });
  });

  it('counts prices that are none and names their orders, once for each record that is read', async () => {
    const decode = codec.decode.bind(codec);
    const ignored = { count: 2, message: 'unit_price of book is "12,50"' };
    codec.decode = async (records) =>
      (await decode(records)).map((entry) =>
        entry.kind === 'message' && entry.value.orderId === 'B' ? { ...entry, ignored } : entry,
      );
    send(order('A'), order('B'), 'garbage', order('B'));
    expect(await consume()).toMatchObject({ accepted: 2, duplicates: 1, deadLettered: 1, ignoredPrices: 4 });
    const reported = events.filter(({ kind }) => kind === 'prices_ignored');
    expect(reported).toEqual(
      [1, 3].map((offset) => ({
        kind: 'prices_ignored',
        record: { topic: 'orders', partition: 0, offset },
        orderId: 'B',
        ignored,
      })),
    );
  });

  it('stamps a dead letter of a record without a time with the moment of its failure', async () => {
    broker.append('orders', 0, { value: new TextEncoder().encode('garbage'), timestamp: -1 });
    await consume();
    const headers = broker.topics.get('orders.dlq')?.[0]?.[0]?.headers;
    const valueOf = (name: string) => lastHeader(headers ?? [], name);
    expect(valueOf('x-original-timestamp')).toMatch(/^\d{4}-/);
    expect(valueOf('x-original-timestamp')).toBe(valueOf('x-failed-at'));
  });

  it('changes nothing when everything is read again, and says what is read again', async () => {
    send(order('A'), order('B', 'bob'), order('C'));
    await consume();
    const before = JSON.stringify([folder.accepted, folder.rejected, [...folder.tables.items]]);
    const summary = await consume({ reset: { to: 'earliest', partitions: null } });
    expect(summary).toMatchObject({ read: 3, duplicates: 3, accepted: 0, rejected: 0 });
    expect(JSON.stringify([folder.accepted, folder.rejected, [...folder.tables.items]])).toBe(before);
    expect(events).toContainEqual(
      expect.objectContaining({
        kind: 'moved',
        move: expect.objectContaining({ before: 3, after: 0, readAgain: 3 }) as unknown,
      }),
    );
  });

  it('skips what is unread on a reset to latest, says how many, and records the move', async () => {
    send(order('A'), order('B'));
    await consume();
    send(order('C'), order('D'));
    const summary = await consume({ reset: { to: 'latest', partitions: null } });
    expect(summary).toMatchObject({ read: 0, skipped: 2, stoppedBy: 'end' });
    expect(folder.log.at(-1)).toMatchObject({ kind: 'position', before: 2, after: 4, cause: 'reset' });
    expect(broker.committedBy.get('0')).toMatchObject({ offset: 4 });
  });

  it('resets to a time or an offset, in some partitions only, brought into range with a word', async () => {
    send(order('A'), order('B'), order('C'));
    await consume();
    await consume({ reset: { to: { timestampMs: 1_001 }, partitions: [0] } });
    expect(lastSummary()).toMatchObject({ read: 2, duplicates: 2 });
    await consume({ reset: { to: { offset: 99 }, partitions: [0] } });
    expect(events).toContainEqual(
      expect.objectContaining({
        kind: 'moved',
        move: expect.objectContaining({ after: 3, clampedFrom: 99 }) as unknown,
      }),
    );
    const failure = await failureOf(consume({ reset: { to: 'earliest', partitions: [7] } }));
    expect(failure).toMatchObject({ code: 'invalid_value', context: { partition: 7 } });
  });

  it('forgets on a reset of all what partitions had that the topic has no more', async () => {
    send(order('A'));
    await consume();
    folder.stored.set('orders orders/5', {
      processor: 'orders',
      topic: 'orders',
      partition: 5,
      next: 9,
      last: null,
      clusterId: 'gone',
    });
    await consume();
    await consume({ reset: { to: 'earliest', partitions: [0] } });
    expect(next(5)).toBe(9);
    await consume({ reset: { to: 'earliest', partitions: null } });
    expect(lastSummary()).toMatchObject({ read: 1, duplicates: 1, skipped: 0 });
    expect(folder.stored.get('orders orders/5')).toMatchObject({ next: 0, last: null });
    expect([...broker.committedBy.keys()].sort()).toEqual(['0', '1']);
  });

  it('stops after --max-messages in the middle of a batch, and goes on there', async () => {
    send(order('A'), order('B'), order('C'), order('D'));
    expect(await consume({ untilEnd: false, maxMessages: 2 })).toMatchObject({
      read: 2,
      stoppedBy: 'max_messages',
    });
    expect(next()).toBe(2);
    expect(await consume()).toMatchObject({ read: 2, accepted: 2, stoppedBy: 'end' });
  });

  it('ends on an empty topic, creating it and its dead-letter topic with a word', async () => {
    broker.topics.clear();
    expect(await consume()).toMatchObject({ read: 0, stoppedBy: 'end' });
    expect(events.filter(({ kind }) => kind === 'topic_created')).toHaveLength(2);
    broker.topics.clear();
    expect(await failureOf(consume({ create: false }))).toMatchObject({ code: 'topic_missing' });
  });

  it('warns that the folder has read another topic, until it has read this one', async () => {
    const warned = () => events.filter(({ kind }) => kind === 'topic_is_new');
    const other = {
      names: new Map([
        ['orders', 'oders'],
        ['orders.dlq', 'oders.dlq'],
      ]),
    };
    await consume();
    send(order('A'));
    await consume();
    expect(warned()).toEqual([]);
    await consume(other);
    expect(warned()).toEqual([{ kind: 'topic_is_new', topic: 'oders', others: ['orders'] }]);
    expect(events.findIndex(({ kind }) => kind === 'topic_is_new')).toBeLessThan(
      events.findIndex((event) => event.kind === 'topic_created' && event.topic === 'oders'),
    );
    broker.append('oders', 0, { value: encodeOrder(order('B')) });
    await consume(other);
    events = [];
    await consume(other);
    await consume();
    expect(warned()).toEqual([]);
  });

  it('stores where each partition starts, before the first record of it, and no second time', async () => {
    const log = (partition: number) => broker.topics.get('orders')?.[partition];
    for (const id of ['A', 'B']) broker.append('orders', 1, { value: encodeOrder(order(id)) });
    log(1)?.shift();
    const stored: (readonly (number | undefined)[])[] = [];
    broker.beforeBatch = () => void stored.push([next(0), next(1)]);
    await consume();
    send(order('C'), order('D'));
    log(0)?.shift();
    await consume();
    expect(stored).toEqual([
      [0, 1],
      [0, 2],
    ]);
    expect(await consume()).toMatchObject({ read: 0 });
  });

  it('ignores records below the position in force: a stale fetch has no effect', async () => {
    send(order('A'), order('B'), order('C'));
    await consume();
    folder.stored.set('orders orders/0', {
      processor: 'orders',
      topic: 'orders',
      partition: 0,
      next: 2,
      last: null,
      clusterId: null,
    });
    broker.staleRecords = 2;
    expect(await consume()).toMatchObject({ read: 1, duplicates: 1 });
  });

  it('keeps the last record that it read in mind over batches of control records alone', async () => {
    send(order('A'), order('B'), 'the end of a transaction', 'the end of another');
    broker.control.add(2).add(3);
    broker.batchRecords = 2;
    expect(await consume()).toMatchObject({ read: 2, accepted: 2, stoppedBy: 'end' });
    const last = { offset: 1, timestamp: 1_001, crc: 7 };
    expect(folder.stored.get('orders orders/0')).toMatchObject({ next: 4, last });
  });

  it('counts as lag what came in after the start', async () => {
    send(order('A'), order('B'));
    broker.batchRecords = 1;
    const end = new AbortController();
    broker.afterBatch = ({ next }) => {
      if (next === 1) send(order('C'), order('D'));
      else end.abort();
    };
    const summary = await consume({ untilEnd: false, signal: end.signal });
    expect(summary.partitions[0]).toMatchObject({ first: 0, next: 2, end: 4, lag: 2 });
  });

  it('is fenced when the stored position moved under it', async () => {
    send(order('A'), order('B'), order('C'), order('D'));
    broker.batchRecords = 2;
    let batches = 0;
    broker.beforeBatch = () => {
      if (++batches !== 2) return;
      folder.stored.set('orders orders/0', {
        processor: 'orders',
        topic: 'orders',
        partition: 0,
        next: 3,
        last: null,
        clusterId: null,
      });
    };
    const summary = await consume();
    expect(folder.accepted.map(({ order: { orderId } }) => orderId)).toEqual(['A', 'B', 'D']);
    expect(summary.read).toBe(3);
  });

  it('stops on a signal between batches and exits in order', async () => {
    send(order('A'), order('B'));
    const controller = new AbortController();
    broker.batchRecords = 1;
    broker.beforeBatch = () => controller.abort();
    expect(await consume({ signal: controller.signal })).toMatchObject({ read: 1, stoppedBy: 'signal' });
    expect(next()).toBe(1);
    expect(folder.owned).toBe(false);
  });

  it('leaves with the failure of a commit, and with a summary before it', async () => {
    send(order('A'));
    broker.beforeBatch = () => {
      folder.failing = new Failure('write_failed', 'disk full');
    };
    expect(await failureOf(consume())).toMatchObject({ code: 'write_failed' });
    expect(lastSummary()).toMatchObject({ stoppedBy: 'error', read: 0 });
    expect(folder.owned).toBe(false);
  });

  it('leaves with the failure of a store that breaks while nothing is asked of it', async () => {
    send(order('A'), order('B'));
    const own = folder.own.bind(folder);
    folder.own = (options) => {
      broker.beforeBatch = () => options.onFailure?.(new Failure('write_failed', 'the folder is gone'));
      return own(options);
    };
    broker.batchRecords = 1;
    expect(await failureOf(consume({ untilEnd: false }))).toMatchObject({ code: 'write_failed' });
    expect(lastSummary()).toMatchObject({ stoppedBy: 'error', read: 1 });
    expect(folder.owned).toBe(false);
  });

  it('decides nothing when there is nobody or nothing to decide on, unless that is allowed', async () => {
    send(order('A'));
    folder.tables.items.clear();
    expect(await failureOf(consume())).toMatchObject({ code: 'not_found' });
    await folder.edit({ kind: 'item.add', item: 'book', quantity: 10 });
    folder.tables.users.clear();
    const refused = await failureOf(consume());
    expect(fixText(refused)).toContain('orderctl user add');
    expect(fixText(refused)).toContain('--allow-empty');
    expect([folder.rejected, next(), folder.owned]).toEqual([[], undefined, false]);
    folder.isThere = async () => false;
    expect(await failureOf(consume())).toMatchObject({ code: 'not_found' });
    await consume({ allowEmpty: true });
    expect(folder.rejected).toHaveLength(1);
    expect(events).toContainEqual({ kind: 'empty_table', table: 'users', store: 'model' });
    expect(events).not.toContainEqual(expect.objectContaining({ table: 'items' }));
  });

  it('is refused while the folder has an owner', async () => {
    await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
    expect(await failureOf(consume())).toMatchObject({ code: 'folder_in_use' });
  });
});

describe('dead letters', () => {
  it('are journalled with the position, sent after with their headers, and counted', async () => {
    send(order('A'), 'garbage', order('B'));
    const summary = await consume();
    expect(summary).toMatchObject({ read: 3, accepted: 2, deadLettered: 1 });
    const sent = broker.topics.get('orders.dlq')?.flat() ?? [];
    expect(sent).toHaveLength(1);
    expect(new TextDecoder().decode(sent[0]?.value ?? new Uint8Array())).toBe('garbage');
    expect(sent[0]?.headers).toEqual([
      ['x-original-topic', 'orders'],
      ['x-original-partition', '0'],
      ['x-original-offset', '1'],
      ['x-original-timestamp', '1970-01-01T00:00:01.001Z'],
      ['x-original-group', 'g'],
      ['x-error-code', 'undecodable'],
      ['x-error-message', 'not JSON'],
      ['x-error-stage', 'decode'],
      ['x-attempts', '1'],
      ['x-failed-at', '2026-01-02T03:04:05.006Z'],
    ]);
    expect(folder.outgoing).toHaveLength(0);
  });

  it("keep the record's own headers in their order, repeated and null ones too, before ours", async () => {
    const value = new TextEncoder().encode('garbage');
    const own: Headers = [
      ['a', new Uint8Array([1])],
      ['b', null],
      ['x-attempts', '2'],
      ['a', new Uint8Array()],
      ['x-original-offset', '77'],
      ['a', null],
    ];
    broker.append('orders', 0, { value, headers: own });
    await consume();
    const headers = broker.topics.get('orders.dlq')?.[0]?.[0]?.headers ?? [];
    expect(headers.slice(0, 4)).toEqual([own[0], own[1], own[3], own[5]]);
    expect(headers.filter(([name]) => name === 'x-original-offset')).toEqual([['x-original-offset', '0']]);
    expect(headers.filter(([name]) => name === 'x-attempts')).toEqual([['x-attempts', '3']]);
  });

  it('come out in the order of their records among the decisions', async () => {
    send('bad', order('A'), 'worse', order('B'));
    broker.batchRecords = 10;
    await consume();
    const batch = events.find(({ kind }) => kind === 'batch');
    expect(batch?.kind === 'batch' && batch.results.map(({ kind }) => kind)).toEqual([
      'dead_letter',
      'decided',
      'dead_letter',
      'decided',
    ]);
  });

  it('stay journalled while the broker is away, and leave when it is back', async () => {
    send('garbage');
    broker.sendFailures = [
      new Failure('broker_unreachable', 'away'),
      new Failure('broker_unreachable', 'away'),
    ];
    await consume();
    expect(events).toContainEqual(expect.objectContaining({ kind: 'waiting', for: 'broker' }));
    expect(events).toContainEqual({ kind: 'resumed', for: 'broker' });
    expect(broker.topics.get('orders.dlq')?.flat()).toHaveLength(1);
  });

  describe('of a run that ends by itself with more at hand', () => {
    const away = (times: number) =>
      Array.from({ length: times }, () => new Failure('broker_unreachable', 'a leader that moves'));

    it('are tried again when a send fails', async () => {
      send('bad', 'worse', order('A'));
      broker.batchRecords = 2;
      broker.sendFailures = away(3);
      expect(await consume({ untilEnd: false, maxMessages: 2 })).toMatchObject({ deadLettered: 2 });
      expect(broker.topics.get('orders.dlq')?.flat()).toHaveLength(2);
      expect(events).not.toContainEqual(expect.objectContaining({ kind: 'unsent' }));
    });

    it('fail it when they cannot be sent for a minute', async () => {
      send('bad');
      broker.batchRecords = 1;
      // Behind the end that was seen at start.
      broker.beforeBatch = () => send(order('A'));
      broker.sendFailures = away(1_000);
      expect(await failureOf(consume())).toMatchObject({ code: 'broker_unreachable' });
      expect(lastSummary()).toMatchObject({ read: 1, stoppedBy: 'error' });
      expect(events).toContainEqual({ kind: 'unsent', waiting: new Map([['orders.dlq', 1]]), effects: 0 });
      expect(folder.outgoing).toHaveLength(1);
    });
  });

  it('leave once, and are kept once, whatever becomes of the others of the same send', async () => {
    broker.batchRecords = 5;
    broker.maxValueBytes = 20;
    // The last two are alike but for their places.
    send('bad', 'x'.repeat(30), 'worse', 'late', 'late');
    broker.sendFailures = Array.from({ length: 20 }, () => new Failure('broker_unreachable', 'no leader'));
    const without = ['sent', 'sent', 'lost_answer', 'not_sent', 'not_sent'] as const;
    let sends = 0;
    broker.beforeSend = async () => void (sends += 1);
    broker.onSendFailure = (index) => (sends === 1 ? (without[index] ?? 'sent') : 'not_sent');
    await consume();
    const sent = broker.topics.get('orders.dlq')?.flat() ?? [];
    const texts = sent.map(({ value }) => new TextDecoder().decode(value ?? undefined));
    // What had no answer may not have arrived.
    expect(texts).toEqual(['bad', 'worse', 'worse', 'late', 'late']);
    expect(folder.undelivered.map(({ id }) => id)).toEqual(['orders/0@1']);
    expect(events.filter(({ kind }) => kind === 'undelivered')).toHaveLength(1);
    expect(folder.outgoing).toHaveLength(0);
  });

  it('that a stop leaves behind are counted at the end, and leave with the next run', async () => {
    send('bad', 'worse');
    const stop = new AbortController();
    broker.sendFailures = Array.from({ length: 1_000 }, () => new Failure('broker_unreachable', 'away'));
    broker.afterBatch = () => stop.abort();
    await consume({ untilEnd: false, signal: stop.signal });
    expect(lastSummary()).toMatchObject({ stoppedBy: 'signal', deadLettered: 2 });
    expect(events.at(-2)).toEqual({ kind: 'unsent', waiting: new Map([['orders.dlq', 2]]), effects: 0 });
    broker.sendFailures = [];
    events = [];
    await consume();
    expect(broker.topics.get('orders.dlq')?.flat()).toHaveLength(2);
    expect(events).not.toContainEqual(expect.objectContaining({ kind: 'unsent' }));
  });

  it('do not wait for a batch that was at hand and whose leader is lost', async () => {
    broker.idles = true;
    broker.batchRecords = 1;
    send('garbage', order('A'));
    broker.afterBatch = () => void broker.leaderless.add(0);
    const stop = new AbortController();
    const run = consume({ untilEnd: false, signal: stop.signal });
    await turnsUntil(() => next() === 1 && folder.outgoing.length === 0);
    expect(broker.topics.get('orders.dlq')?.flat()).toHaveLength(1);
    expect(clock.slept).toContain(250);
    stop.abort();
    expect(await run).toMatchObject({ read: 1, deadLettered: 1, stoppedBy: 'signal' });
  });

  describe('for a leader that does not answer', () => {
    let answer: () => void;
    let stop: AbortController;
    let waiting: number[];

    /** One record at a time, so that none is at hand for which dead letters would wait anyway. */
    function feed(values: (Order | string)[], atEnd: () => void): void {
      send(...values.splice(0, 1));
      broker.afterBatch = () => {
        waiting.push(folder.outgoing.length);
        if (values.length > 0) send(...values.splice(0, 1));
        else atEnd();
      };
    }

    beforeEach(() => {
      const answered = new Promise<void>((resolve) => (answer = resolve));
      broker.beforeSend = () => answered;
      broker.idles = true;
      stop = new AbortController();
      waiting = [];
    });

    it('do not hold up the decisions behind them, and leave when it answers', async () => {
      feed(['garbage', order('A'), 'worse', order('B')], () => {
        stop.abort();
        answer();
      });
      const summary = await consume({ untilEnd: false, signal: stop.signal });
      expect(waiting).toEqual([1, 1, 2, 2]);
      expect(summary).toMatchObject({ read: 4, accepted: 2, deadLettered: 2, stoppedBy: 'signal' });
      expect(broker.topics.get('orders.dlq')?.flat()).toHaveLength(2);
      expect(folder.outgoing).toHaveLength(0);
    });

    it('end the run when it refuses them later, though nothing follows', async () => {
      broker.sendFailures = [new Failure('broker_refused', 'not allowed')];
      feed(['garbage', order('A')], () => {
        answer();
      });
      const failure = await failureOf(consume({ untilEnd: false, signal: stop.signal }));
      expect(failure).toMatchObject({ code: 'broker_refused' });
      expect(folder.outgoing).toHaveLength(1);
      expect(next()).toBe(2);
    });

    it('do not hold up decisions after a restart either', async () => {
      broker.beforeSend = async () => undefined;
      send('garbage');
      broker.idles = false;
      broker.sendFailures = [new Failure('broker_refused', 'not allowed')];
      await failureOf(consume());
      expect(folder.outgoing).toHaveLength(1);
      broker.idles = true;
      const answered = new Promise<void>((resolve) => (answer = resolve));
      broker.beforeSend = () => answered;
      send(order('A'));
      broker.afterBatch = () => {
        waiting.push(folder.outgoing.length);
        stop.abort();
        answer();
      };
      const run = consume({ untilEnd: false, signal: stop.signal });
      await turnsUntil(() => waiting.length > 0);
      expect(waiting).toEqual([1]);
      await run;
    });

    it('leave though others were sent when they came, and nothing follows', async () => {
      feed(['garbage', 'worse'], () => {
        answer();
      });
      const run = consume({ untilEnd: false, signal: stop.signal });
      await turnsUntil(() => folder.outgoing.length === 0 && waiting.length === 2);
      expect(broker.topics.get('orders.dlq')?.flat()).toHaveLength(2);
      stop.abort();
      await run;
    });

    it('are waited for by a run that ends by itself', async () => {
      feed(['garbage'], () => undefined);
      const run = consume();
      for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(waiting).toEqual([1]);
      expect(events.at(-1)?.kind).not.toBe('summary');
      answer();
      expect(await run).toMatchObject({ read: 1, deadLettered: 1, stoppedBy: 'end' });
      expect(broker.topics.get('orders.dlq')?.flat()).toHaveLength(1);
    });
  });

  it('left by a crash are sent at the next start', async () => {
    send('garbage');
    broker.sendFailures = [new Failure('broker_refused', 'not allowed')];
    expect(await failureOf(consume())).toMatchObject({ code: 'broker_refused' });
    expect(folder.outgoing).toHaveLength(1);
    expect(next()).toBe(1);
    expect(await consume()).toMatchObject({ read: 0 });
    expect(broker.topics.get('orders.dlq')?.flat()).toHaveLength(1);
  });

  it('too large for their topic are kept, and the others of the same send leave', async () => {
    broker.maxValueBytes = 20;
    send('x'.repeat(30), 'garbage');
    await consume();
    expect(folder.undelivered.map(({ id }) => id)).toEqual(['orders/0@0']);
    expect(broker.topics.get('orders.dlq')?.flat()).toHaveLength(1);
    expect(events).toContainEqual({ kind: 'undelivered', id: 'orders/0@0', topic: 'orders.dlq' });
  });
});

describe('a registry that is away', () => {
  const away = (): Failure => new Failure('registry_unreachable', 'registry is away');

  it('is a wait, not a dead letter', async () => {
    send(order('A'));
    codec.decodeFailures = [away(), away(), away()];
    expect(await consume()).toMatchObject({ accepted: 1, deadLettered: 0 });
    expect(events.filter(({ kind }) => kind === 'waiting')).toHaveLength(1);
  });

  it('ends a bounded run after a minute without an answer, position and all as before', async () => {
    send(order('A'));
    codec.decodeFailures = Array.from({ length: 100 }, away);
    expect(await failureOf(consume())).toMatchObject({ code: 'registry_unreachable' });
    expect(clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(60_000);
    expect(events.filter(({ kind }) => kind === 'waiting').length).toBeGreaterThanOrEqual(2);
    expect(next()).toBe(0);
  });

  it('does not hold up a stop', async () => {
    send(order('A'));
    const controller = new AbortController();
    codec.decodeFailures = Array.from({ length: 100 }, away);
    const summary = await consume({
      untilEnd: false,
      signal: controller.signal,
      on: (event) => {
        events.push(event);
        if (event.kind === 'waiting') controller.abort();
      },
    });
    expect(summary).toMatchObject({ read: 0, stoppedBy: 'signal' });
  });
});

describe('the group', () => {
  const member = (clientId: string) => ({
    memberId: `m-${clientId}`,
    clientId,
    host: '127.0.0.1',
    process: 'machine/7/7',
    sessionTimeoutMs: 6_000,
  });

  it('with foreign members is refused, naming them', async () => {
    broker.members = [member('rdkafka')];
    const failure = await failureOf(consume());
    expect(failure).toMatchObject({ code: 'group_in_use' });
    expect(failure.message).toContain('rdkafka');
  });

  it('loses our own ghost, with a word', async () => {
    broker.members = [member(markOf('model-folder'))];
    folder.living.set('machine/7/7', 'dead');
    await consume();
    expect(broker.removed).toEqual([`m-${markOf('model-folder')}`]);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'ghost_removed' }));
  });

  it('is refused to a copy of the folder whose consumer lives, which is left alone', async () => {
    send(order('A'));
    broker.members = [member(markOf('model-folder'))];
    folder.living.set('machine/7/7', 'alive');
    const failure = await failureOf(consume());
    expect(failure).toMatchObject({ code: 'group_in_use' });
    expect(failure.message).toContain('copy');
    expect(fixText(failure)).toContain('orderctl consume --new-id --group NAME');
    expect([broker.removed, folder.accepted]).toEqual([[], []]);
  });

  it('bears the mark of another folder once a copy has an id of its own', async () => {
    send(order('A'));
    await consume();
    expect(await failureOf(consume({ newId: true }))).toMatchObject({ code: 'group_marked' });
    broker.committedBy.clear();
    await consume();
    expect(broker.committedBy.get('0')?.metadata).toBe(markOf('model-folder-2'));
  });

  it('moved by another tool is honoured, recorded, and harmless', async () => {
    send(order('A'), order('B'), order('C'));
    await consume();
    broker.committedBy.set('0', { partition: 0, offset: 1, metadata: '' });
    expect(await consume()).toMatchObject({ read: 2, duplicates: 2 });
    expect(folder.log).toContainEqual(
      expect.objectContaining({ kind: 'position', cause: 'group_moved', after: 1 }),
    );
  });

  it('moved by another tool is honoured on a partition without a leader too, which holds up no start', async () => {
    for (const id of ['A', 'B', 'C']) {
      broker.append('orders', 1, { value: encodeOrder(order(id)), key: new TextEncoder().encode('key') });
    }
    await consume();
    broker.committedBy.set('1', { partition: 1, offset: 1, metadata: '' });
    broker.leaderless.add(1);
    broker.idles = true;
    send(order('D'));
    const stop = new AbortController();
    broker.afterBatch = ({ partition }) => {
      if (partition === 0) broker.leaderless.clear();
      else stop.abort();
    };
    const summary = await consume({ untilEnd: false, signal: stop.signal });
    const moved = events.flatMap((event) => (event.kind === 'moved' ? [event.move] : []));
    expect(moved).toMatchObject([
      { partition: 1, before: 3, after: 1, cause: 'group_moved', readAgain: 2, skipped: 0 },
    ]);
    expect(summary).toMatchObject({ accepted: 1, duplicates: 2, skipped: 0 });
    expect([next(0), next(1)]).toEqual([1, 3]);
  });

  it('that lost its offsets is no move: the stored position stands and is committed again', async () => {
    send(order('A'), order('B'));
    await consume();
    broker.committedBy.clear();
    expect(await consume()).toMatchObject({ read: 0 });
    expect(broker.committedBy.get('0')).toMatchObject({ offset: 2 });
  });

  it('that is ahead by our own mark shows that the folder is an earlier copy: it sends under other ids', async () => {
    send(order('A'), order('B'));
    await consume();
    expect(folder.small.has(RESTORED.name)).toBe(false);
    broker.committedBy.set('0', { partition: 0, offset: 5, metadata: markOf('model-folder') });
    await consume();
    expect(folder.small.get(RESTORED.name)?.get(RESTORED_KEY)).toEqual({ at: folder.clock.now() });
  });

  describe('in which others of a store that is shared are at work', () => {
    const prepare = async (whileAsked: () => Promise<void> = async () => undefined): Promise<void> => {
      const own = { purpose: 'test', via: 'consume', onNotice: () => undefined } as const;
      await using store = await folder.own(own);
      const shared = new Proxy(store, {
        get(of, property) {
          if (property === 'isShared') return true;
          const value = Reflect.get(of, property, of) as unknown;
          return typeof value === 'function' ? (value.bind(of) as unknown) : value;
        },
      });
      const admin = await broker.admin();
      const committed: typeof admin.committed = async (group, topic) => {
        await whileAsked();
        return admin.committed(group, topic);
      };
      const asked = { admin: async () => ({ ...admin, committed }) };
      const ports = { store: shared, broker: Object.assign(Object.create(broker) as ScriptedBroker, asked) };
      const reader = { processor: orders({ events: null, users: 'required' }), group: 'g' };
      await prepareRun({ ...ports, processes: folder.processes, clock }, [reader], {
        names: new Map(),
        reset: null,
        adopt: false,
        create: true,
        untilEnd: false,
        signal: new AbortController().signal,
        on: (event) => events.push(event),
      });
    };
    const commit = (offset: number): void =>
      void broker.committedBy.set('0', { partition: 0, offset, metadata: markOf('model-folder') });

    it('shows by being ahead that the store was put back to an earlier state', async () => {
      send(order('A'), order('B'));
      await consume();
      broker.members = [member(markOf('model-folder'))];
      await prepare();
      expect(folder.small.has(RESTORED.name)).toBe(false);
      commit(5);
      await prepare();
      expect(folder.small.get(RESTORED.name)?.get(RESTORED_KEY)).toEqual({ at: folder.clock.now() });
      // They move it.
      expect(broker.committedBy.get('0')).toMatchObject({ offset: 5 });
    });

    it('is not ahead for what they read between two looks', async () => {
      send(order('A'), order('B'));
      await consume();
      broker.members = [member(markOf('model-folder'))];
      await prepare(async () => {
        const read = { processor: 'orders', topic: 'orders', partition: 0, next: 5, last: null } as const;
        folder.apply({ positions: [{ ...read, clusterId: await (await broker.admin()).clusterId() }] });
        commit(5);
      });
      expect(folder.small.has(RESTORED.name)).toBe(false);
    });
  });

  it('that lags behind after a crash is brought up, not taken for a move', async () => {
    send(order('A'), order('B'));
    await consume();
    broker.committedBy.set('0', { partition: 0, offset: 1, metadata: markOf('model-folder') });
    expect(await consume()).toMatchObject({ read: 0 });
    expect(broker.committedBy.get('0')).toMatchObject({ offset: 2 });
  });

  it('without a stored position gives the start', async () => {
    send(order('A'), order('B'));
    broker.committedBy.set('0', { partition: 0, offset: 1, metadata: 'from-another-tool' });
    expect(await consume()).toMatchObject({ read: 1, skipped: 1 });
  });

  it('of another folder is refused without --adopt, and taken over with it', async () => {
    send(order('A'), order('B'));
    broker.committedBy.set('0', { partition: 0, offset: 1, metadata: markOf('other') });
    const failure = await failureOf(consume());
    expect(failure).toMatchObject({ code: 'group_marked' });
    expect(fixText(failure)).toContain('--adopt');
    expect(await consume({ adopt: true })).toMatchObject({ read: 1 });
    expect(folder.log).toContainEqual(expect.objectContaining({ cause: 'adopt', after: 1 }));
    expect(broker.committedBy.get('0')?.metadata).toBe(markOf('model-folder'));
  });
});
