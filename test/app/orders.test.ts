import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainOrder, type Explanation } from '../../src/app/orders/explain.ts';
import { inDecisionOrder, inDecisionOrderFromEnd } from '../../src/app/orders/decision-order.ts';
import { listOrders, type ListOrdersOptions } from '../../src/app/orders/list.ts';
import { orderIdOf } from '../../src/app/orders/listed-order.ts';
import { explainText } from '../../src/cli/output/order.ts';
import { Courses, isSkipped } from '../../src/app/offsets/skips.ts';
import type { Decided } from '../../src/domain/orders/decided.ts';
import type { LoggedEdit } from '../../src/domain/edit.ts';
import type { StoreView } from '../../src/ports/store.ts';
import { decideRecords, recordOf, type DecidedRecord } from '../support/decided.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { encodeOrder, PlainCodec } from '../support/plain-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const ALL = { status: null, reason: null, user: null, item: null, sinceMs: null, untilMs: null };

async function shop(): Promise<ModelFolder> {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'user.add', user: 'bob', status: 'unpaid' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 5 });
  await folder.edit({ kind: 'item.add', item: 'book', quantity: 1 });
  return folder;
}

async function decideIn(folder: ModelFolder, ...records: DecidedRecord[]): Promise<void> {
  const store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  await decideRecords(store, records);
  await store[Symbol.asyncDispose]();
  await folder.clock.sleep(1_000);
}

async function listed(
  folder: ModelFolder,
  filter: Partial<ListOrdersOptions['filter']> = {},
  options: Partial<ListOrdersOptions> = {},
): Promise<string> {
  const ids: string[] = [];
  const { count, isAtLeast } = await listOrders(folder, {
    filter: { ...ALL, ...filter },
    last: Infinity,
    countUpTo: 10,
    onOrders: async (orders) => void ids.push(...orders.map(orderIdOf)),
    ...options,
  });
  return `${count > 0 ? `${count}${isAtLeast ? '+' : ''} ` : ''}${ids.join('')}`;
}

describe('orders are listed', () => {
  const records = [
    recordOf('orders', 0, 'A', 'alice', { pen: 1 }),
    recordOf('orders', 1, 'B', 'bob', { pen: 1 }),
    recordOf('orders', 2, 'C', 'alice', { book: 1 }),
  ] as const;

  it('in the order of their decisions, over both logs', async () => {
    const folder = await shop();
    await decideIn(folder, ...records);
    await decideIn(folder, recordOf('orders', 3, 'D', 'bob', { pen: 1 }));
    await decideIn(folder, recordOf('orders', 4, 'E', 'alice', { pen: 1, book: 1 }));
    await decideIn(folder, recordOf('orders', 5, 'F', 'alice', { pen: 1 }));
    expect(await listed(folder)).toBe('ABCDEF');
    expect(await listed(folder, { status: 'REJECTED' })).toBe('BDE');
    expect(await listed(folder, {}, { isReversed: true })).toBe('FEDCBA');
    expect(await listed(folder, { status: 'REJECTED' }, { isReversed: true, last: 2 })).toBe('1 ED');
  });

  it('by what is selected, the latest of them, with how many come before', async () => {
    const folder = await shop();
    const start = folder.clock.now();
    await decideIn(folder, ...records);
    await decideIn(folder, recordOf('orders', 3, 'D', 'bob', { book: 1 }));
    expect(await listed(folder, { user: 'bob' })).toBe('BD');
    expect(await listed(folder, { item: 'book' })).toBe('CD');
    expect(await listed(folder, { reason: 'user_not_paid' })).toBe('BD');
    expect(await listed(folder, { reason: 'unknown_item' })).toBe('');
    expect(await listed(folder, { sinceMs: start + 1_000 })).toBe('D');
    expect(await listed(folder, { untilMs: start + 1_000 })).toBe('ABC');
    expect(await listed(folder, {}, { last: 2 })).toBe('2 CD');
    expect(await listed(folder, { user: 'bob' }, { last: 1 })).toBe('1 D');
    expect(await listed(folder, {}, { isReversed: true, last: 2 })).toBe('2 DC');
    expect(await listed(folder, {}, { last: 4 })).toBe('ABCD');
  });

  it('chunk by chunk as one log would be, whatever the sizes of the chunks', async () => {
    const decisions = fc.array(
      fc.record({ at: fc.integer({ min: 0, max: 30 }), log: fc.constantFrom('accepted', 'rejected') }),
    );
    await fc.assert(
      fc.asyncProperty(decisions, fc.integer({ min: 1, max: 5 }), async (made, size) => {
        const sorted = made
          .sort((a, b) => a.at - b.at)
          .map(({ at, log }, offset) => ({ log, decided: decidedAt(at, offset) }));
        const inChunks = (isReversed: boolean) =>
          async function* (outcome: string) {
            const log = sorted.filter(({ log: name }) => name === outcome).map(({ decided }) => decided);
            if (isReversed) log.reverse();
            const lines = isReversed ? log.map((value) => ({ value, place: [] })) : log;
            for (let from = 0; from < log.length; from += size) yield lines.slice(from, from + size);
          };
        const reader = {
          decisions: inChunks(false),
          decisionsFromEnd: inChunks(true),
        } as unknown as StoreView;
        const offsets = async (chunks: AsyncIterable<readonly Decided[]>): Promise<number[]> => {
          const found: Decided[] = [];
          for await (const chunk of chunks) {
            expect(chunk.length).toBeGreaterThan(0);
            found.push(...chunk);
          }
          return found.map(({ record }) => record.offset);
        };
        const expected = sorted.map((_, at) => at);
        expect(await offsets(inDecisionOrder(reader))).toEqual(expected);
        expect(await offsets(inDecisionOrderFromEnd(reader))).toEqual(expected.reverse());
      }),
    );
  });

  it('without reading further back than is asked for', async () => {
    let chunks = 0;
    let closed = 0;
    const decisionsFromEnd = async function* (outcome: string) {
      try {
        for (; outcome === 'accepted'; chunks++)
          yield [{ value: decidedAt(1e9 - chunks * 3_600_000, 1e9 - chunks), place: [] }];
      } finally {
        closed += 1;
      }
    };
    const factsFromEnd = async function* () {
      yield* [];
    };
    const reader = {
      decisionsFromEnd,
      factsFromEnd,
      effects: async () => [],
      [Symbol.asyncDispose]: async () => undefined,
    } as unknown as StoreView;
    const folder = Object.assign(await shop(), { read: async () => reader });
    expect(await listed(folder, {}, { last: 3 })).toMatch(/^1\d\+ /);
    expect(chunks).toBeLessThan(20);
    expect(closed).toBe(2);
    chunks = 0;
    // An hour apart: a clock may have been wrong by no more than a day.
    expect(await listed(folder, { sinceMs: 1e9 - 7_200_000 }, { last: 9 })).toMatch(/^(ORD-\d+){3}$/);
    expect(chunks).toBeLessThan(40);
  });

  it('and then those that are decided meanwhile, each once', async () => {
    const folder = await shop();
    await decideIn(folder, ...records);
    const found: string[] = [];
    const stop = new AbortController();
    const next = recordOf('orders', 3, 'D', 'bob', { pen: 1 });
    const listing = listOrders(folder, {
      filter: ALL,
      last: 1,
      follow: stop.signal,
      onOrders: async (orders) => {
        for (const id of orders.map(orderIdOf)) {
          found.push(id);
          if (id === 'C') await decideIn(folder, next, recordOf('orders', 4, 'E', 'alice', { pen: 1 }));
        }
        if (found.includes('E')) stop.abort();
      },
    });
    await listing;
    expect(found).toEqual(['C', 'D', 'E']);
  });
});

function decidedAt(at: number, offset: number): Decided {
  const { order, record } = recordOf('orders', offset, `ORD-${offset}`, 'alice', { pen: 1 });
  return { order, record, decidedAt: at, outcome: { kind: 'accepted', stock: [1] } };
}

describe('an order is explained', () => {
  it('from the files: its decision, its record, and what it would come to now', async () => {
    const folder = await shop();
    await decideIn(folder, recordOf('orders', 0, 'A', 'bob', { pen: 2 }));
    const explained = await explainOrder(folder, 'A', null);
    expect(explained).toMatchObject({
      decided: { outcome: { kind: 'rejected', reason: 'user_not_paid', stock: [5] } },
      now: { kind: 'rejected', reason: 'user_not_paid' },
      records: [{ topic: 'orders', partition: 0, offset: 0, role: 'deciding', timestamp: null }],
      scanned: false,
    });
    await folder.edit({ kind: 'user.update', user: 'bob', status: 'paid' });
    expect((await explainOrder(folder, 'A', null))?.now).toEqual({ kind: 'accepted', stock: [5] });
    await folder.edit({ kind: 'item.update', item: 'pen', quantity: 1 });
    expect((await explainOrder(folder, 'A', null))?.now).toMatchObject({ reason: 'insufficient_stock' });
    expect(await explainOrder(folder, 'Z', null)).toBeUndefined();
  });

  async function scanned(folder: ModelFolder, orders: DecidedRecord[]): Promise<Explanation | undefined> {
    const broker = new ScriptedBroker();
    broker.createTopic('orders');
    for (const { order } of orders) {
      const { createdAt } = order;
      // An order of −1 lies in a record that has no time.
      const timestamp = createdAt === -1 ? { timestamp: -1 } : {};
      broker.append('orders', 0, {
        value: encodeOrder(order),
        headers: [['x-replay-id', 'r1']],
        ...timestamp,
      });
    }
    broker.append('orders', 0, { key: new TextEncoder().encode('A'), value: new Uint8Array([1]) });
    return explainOrder(folder, 'A', { broker, codec: new PlainCodec(), topic: 'orders' });
  }

  it('with every record of the topic by its role', async () => {
    const folder = await shop();
    const first = recordOf('orders', 0, 'A', 'alice', { pen: 1 });
    const other = recordOf('orders', 2, 'A', 'alice', { pen: 2 });
    await decideIn(folder, first, { ...first, record: { ...first.record, offset: 1 } }, other);
    const explained = await scanned(folder, [first, first, other, first, other]);
    expect(explained?.records.map(({ offset, role }) => [offset, role])).toEqual([
      [0, 'deciding'],
      [1, 'duplicate'],
      [2, 'conflict'],
      [3, 'unread'],
      [4, 'unread'],
    ]);
    expect(explained?.records[1]).toMatchObject({ timestamp: 1_001, replayId: 'r1' });
    expect(explained?.unreadable).toEqual([{ topic: 'orders', partition: 0, offset: 5 }]);
  });

  it('without a time of its record where that has none', async () => {
    const { order, record } = recordOf('orders', 0, 'A', 'alice', { pen: 1 });
    const explained = await scanned(await shop(), [{ order: { ...order, createdAt: -1 }, record }]);
    expect(explained?.records).toMatchObject([{ offset: 0, timestamp: null }]);
  });

  it('when it waits to be read, or was skipped', async () => {
    const folder = await shop();
    const record = recordOf('orders', 0, 'A', 'alice', { pen: 9 });
    expect(await scanned(folder, [record])).toMatchObject({
      decided: null,
      now: { kind: 'rejected', reason: 'insufficient_stock' },
      records: [{ offset: 0, role: 'unread' }],
    });
    const move: Partial<LoggedEdit> = {
      kind: 'position',
      processor: 'orders',
      topic: 'orders',
      partition: 0,
      before: null,
      after: 1,
      cause: 'reset',
    };
    folder.apply({
      edits: [move as LoggedEdit],
      positions: [
        { processor: 'orders', topic: 'orders', partition: 0, next: 1, last: null, clusterId: null },
      ],
    });
    const skipped = await scanned(folder, [record]);
    expect(skipped).toMatchObject({
      records: [{ offset: 0, role: 'unread', skip: { from: 0, to: 1, cause: 'reset' } }],
    });
    if (skipped === undefined) throw new Error('not found');
    const text = explainText(skipped, (step) => step);
    expect(text).toContain('is not decided: orders/0@0 was skipped by a reset at ');
    expect(text).toContain('"orderctl offsets reset --to 0 --partitions 0" goes back to it');
    expect(text).toContain('"orderctl offsets undo"');
    expect(text).not.toContain('when it reads');
  });

  it('in a topic that was read and is gone it is not looked for: that is said, with the way out that works', async () => {
    const folder = await shop();
    folder.apply({
      positions: [
        { processor: 'orders', topic: 'orders', partition: 0, next: 1, last: null, clusterId: 'cluster-1' },
      ],
    });
    const scan = { broker: new ScriptedBroker(), codec: new PlainCodec(), topic: 'orders' };
    await expect(explainOrder(folder, 'A', scan)).rejects.toMatchObject({
      code: 'topic_changed',
      fix: { kind: 'other_cluster' },
    });
  });

  it('with the order that it tries again, and the tries of it', async () => {
    const folder = await shop();
    const content = { pen: 2 };
    await decideIn(
      folder,
      recordOf('orders', 0, 'A', 'bob', content),
      recordOf('orders', 1, 'A.r1', 'bob', content),
      recordOf('orders', 2, 'B.r1', 'bob', content),
    );
    await folder.edit({ kind: 'user.update', user: 'bob', status: 'paid' });
    await decideIn(folder, recordOf('orders', 3, 'A.r2', 'bob', content));
    const tries = (explained: Explanation | undefined) =>
      explained?.retries.map(({ order, outcome }) => `${order.orderId} ${outcome.kind}`);
    const first = await explainOrder(folder, 'A', null);
    expect(first?.retryOf).toBeNull();
    expect(tries(first)).toEqual(['A.r1 rejected', 'A.r2 accepted']);
    const second = await explainOrder(folder, 'A.r1', null);
    expect(second?.retryOf).toBe('A');
    expect(tries(second)).toEqual(['A.r2 accepted']);
    // There is no order B.
    expect(await explainOrder(folder, 'B.r1', null)).toMatchObject({ retryOf: null, retries: [] });
  });

  it('whose record is gone from the topic', async () => {
    const folder = await shop();
    await decideIn(folder, recordOf('old-orders', 0, 'A', 'alice', { pen: 1 }));
    expect((await scanned(folder, []))?.records).toEqual([
      {
        topic: 'old-orders',
        partition: 0,
        offset: 0,
        timestamp: null,
        role: 'deciding',
        skip: null,
        replayId: null,
      },
    ]);
  });
});

describe('skips', () => {
  const FIRST = { processor: 'orders', topic: 'orders', partition: 0 } as const;
  const moved = (before: number | null, after: number, at: number): LoggedEdit => ({
    kind: 'position',
    ...FIRST,
    before,
    after,
    cause: 'reset',
    at,
    by: 'me',
    via: 'command',
  });
  const skipsOf = (next: number, ...moves: LoggedEdit[]): [number, number, number][] => {
    const courses = new Courses();
    for (const move of moves) courses.take(move);
    courses.readTo(FIRST, next);
    return courses.skips().map(({ from, to, at }) => [from, to, at]);
  };

  it('are what was passed over and not read before or since', () => {
    expect(skipsOf(9, moved(5, 9, 1))).toEqual([[5, 9, 1]]);
    expect(skipsOf(9, moved(null, 4, 1))).toEqual([[0, 4, 1]]);
    // Back, and forward to where it was.
    expect(skipsOf(9, moved(9, 2, 1), moved(2, 9, 2))).toEqual([]);
    // Skipped, then read after all.
    expect(skipsOf(9, moved(5, 9, 1), moved(9, 5, 2))).toEqual([]);
    expect(skipsOf(7, moved(5, 9, 1), moved(9, 5, 2))).toEqual([[7, 9, 1]]);
    // Read up to 3 when it was skipped to 5, again from 0, and skipped further.
    expect(skipsOf(8, moved(3, 5, 1), moved(6, 0, 2), moved(1, 8, 3))).toEqual([
      [3, 5, 1],
      [6, 8, 3],
    ]);
  });

  it('come to what a plain list of offsets says', () => {
    const steps = fc.array(fc.record({ read: fc.nat(5), to: fc.nat(12) }), { maxLength: 6 });
    fc.assert(
      fc.property(steps, fc.nat(5), (made, last) => {
        const courses = new Courses();
        const read = new Set<number>();
        const passed = new Set<number>();
        let at = 0;
        const readOn = (records: number): void => {
          for (; records > 0; records--) read.add(at++);
        };
        made.forEach(({ read: records, to }, index) => {
          readOn(records);
          courses.take(moved(at, to, index));
          for (let offset = at; offset < to; offset++) passed.add(offset);
          at = to;
        });
        readOn(last);
        courses.readTo(FIRST, at);
        const skips = courses.skips();
        for (let offset = 0; offset < 20; offset++) {
          const expected = passed.has(offset) && !read.has(offset);
          expect(isSkipped(skips, { ...FIRST, offset })).toBe(expected);
        }
        const furthest = Math.max(at, Math.max(-1, ...read) + 1);
        expect(courses.furthest(FIRST)).toBe(furthest);
      }),
    );
  });
});
