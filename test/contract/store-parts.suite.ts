import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Edit } from '../../src/domain/edit.ts';
import { newEffect, type Effect } from '../../src/domain/effects.ts';
import { newFact, type Fact, type FactLog, type NewFact, type SmallTable } from '../../src/domain/facts.ts';
import type { OutgoingMessage } from '../../src/domain/messages/outgoing.ts';
import type { ProcessorName } from '../../src/domain/messages/message.ts';
import type { Movement } from '../../src/domain/movement.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { HistoryPlace } from '../../src/ports/health.ts';
import type { HistoryLine } from '../../src/ports/store.ts';
import type { OwnOptions } from '../../src/ports/owner.ts';
import {
  STOCK_LOGS,
  type Changes,
  type LogPlace,
  type Outgoing,
  type StockLog,
  type StockPiece,
  type Store,
  type StoredPosition,
  type StoreReader,
} from '../../src/ports/store.ts';
import { accepted, collect, order, rejected, type StoreUnderTest } from './store.suite.ts';

interface Paid extends Fact {
  readonly order_id: string;
  readonly step: string;
}

const PAYMENTS: FactLog<Paid> = { name: 'payments', key: 'order_id' };
const EVENTS: FactLog = { name: 'events-seen', key: 'event' };
const REVISIONS: SmallTable<{ revision: number }> = { name: 'revisions' };
const SETTINGS: SmallTable<unknown> = { name: 'settings' };
const HOUR_MS = 3_600_000;

function paid(orderId: string, step = 'paid'): NewFact {
  return newFact(PAYMENTS, { order_id: orderId, step });
}

function movement(item: string, delta: number): Movement {
  return {
    item,
    delta,
    cause: delta < 0 ? 'reservation' : 'restock',
    orderId: delta < 0 ? 'o-1' : null,
    eventId: delta < 0 ? null : 'e-1',
  };
}

function position(processor: ProcessorName, next: number): StoredPosition {
  const last = { offset: next - 1, timestamp: 17, crc: 4_000_000_000 };
  return { processor, topic: 'orders.created', partition: 2, next, last, clusterId: 'c-1' };
}

function message(type: string, number: number): OutgoingMessage {
  return {
    kind: 'message',
    id: `store/${type}/${number}`,
    type,
    key: `P-${number % 2}`,
    fields: { item: 'book', quantity: number, note: 'é\n"', none: null, lines: [{ a: 1 }] },
    at: 1_790_000_000_000 + number,
    traceparent: null,
  };
}

/** The order that counts is that of each key. */
function byKey(sent: readonly Outgoing[]): readonly Outgoing[] {
  return sent.toSorted((a, b) => String(a.key).localeCompare(String(b.key)));
}

function sayLine(line: HistoryLine): string {
  switch (line.kind) {
    case 'edit':
      return `edit ${line.edit.kind === 'item' ? line.edit.item : line.edit.kind}`;
    case 'decision':
      return `decision ${line.decided.order.orderId}`;
    case 'movement':
      return `movement ${line.movement.item}`;
    case 'fact':
      return `fact ${String(line.fact[line.log.key])}`;
  }
}

/** The promises of src/ports/store.ts beyond users, items and orders. */
export function storePartsContract(make: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest;
  let access: StoreAccess;
  const onNotice = (): void => undefined;

  beforeEach(async () => {
    under = await make();
    access = under.access();
    const how = { via: 'command', onNotice } as const;
    await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, how);
    await access.edit({ kind: 'item.add', item: 'book', quantity: 10 }, how);
  });
  afterEach(() => under[Symbol.asyncDispose]());

  const own = (how: Partial<OwnOptions> = {}): Promise<Store> =>
    under.access().own({ purpose: 'run', via: 'consume', isAlone: true, onNotice, ...how });

  const commit = (store: Store, changes: Changes): Promise<number> =>
    store.transact({ items: ['book'], orders: ['ORD-1'] }, ({ seq }) => ({ changes, result: seq }));

  /** In the hands of the owner, of a reader beside it, and of the next owner. */
  async function everywhere(
    change: (store: Store) => Promise<unknown>,
    look: (reader: StoreReader) => Promise<void>,
  ): Promise<void> {
    {
      await using store = await own();
      await change(store);
      await look(store);
      await using reader = await under.access().read();
      await look(reader);
    }
    await using store = await own();
    await look(store);
  }

  test('a partition has a position for each processor that reads it', async () => {
    const both = [position('payment', 5), position('warehouse', 9)];
    await everywhere(
      async (store) => {
        await commit(store, { positions: [position('payment', 4), position('warehouse', 9)] });
        await commit(store, { positions: [position('payment', 5)] });
        const seen = await store.transact({ positions: [...both, position('stock', 1)] }, (snapshot) => ({
          changes: {},
          result: [...both, position('stock', 1)].map((of) => snapshot.position(of)?.next),
        }));
        expect(seen).toEqual([5, 9, undefined]);
      },
      async (reader) => {
        const found = [...(await reader.positions())].sort((a, b) => (a.processor < b.processor ? -1 : 1));
        expect(found).toEqual(both);
      },
    );
  });

  test('each transaction has a greater number, over the end of the owner too', async () => {
    const numbers: number[] = [];
    for (let owner = 0; owner < 3; owner++) {
      await using store = await own();
      for (let count = 0; count < 2; count++) numbers.push(await commit(store, { facts: [paid('o-1')] }));
    }
    expect(numbers.every((seq, at) => at === 0 || seq > (numbers[at - 1] ?? 0))).toBe(true);
  });

  test('history is all of it in the order in which it took effect', async () => {
    const numbers: number[] = [];
    await everywhere(
      async (store) => {
        const pen = { item: 'pen', quantity: 4, name: null, price: null, reorderLevel: null, extra: {} };
        numbers.push(await commit(store, { facts: [paid('ORD-0')] }));
        numbers.push(
          await commit(store, {
            decisions: [accepted(order('ORD-1'), [10], 4), rejected(order('ORD-7'), 5)],
            movements: [movement('book', -3)],
            facts: [paid('ORD-1'), newFact(EVENTS, { event: 'e' })],
            edits: [{ kind: 'item', item: 'pen', before: null, after: pen }],
          }),
        );
        const later = [rejected(order('ORD-3'), 6), accepted(order('ORD-2'), [5], 7)];
        numbers.push(await commit(store, { decisions: later }));
      },
      async (reader) => {
        const lines = await collect(reader.history([PAYMENTS as FactLog<never>]));
        const [first, second, third] = numbers;
        expect(lines.slice(-8).map((line) => [line.seq, sayLine(line)])).toEqual([
          [first, 'fact ORD-0'],
          [second, 'edit pen'],
          [second, 'decision ORD-1'],
          [second, 'decision ORD-7'],
          [second, 'movement book'],
          [second, 'fact ORD-1'],
          [third, 'decision ORD-3'],
          [third, 'decision ORD-2'],
        ]);
        const seqs = lines.map(({ seq }) => seq ?? 0);
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
        expect(lines[0]).toMatchObject({ kind: 'edit', seq: expect.any(Number) as number });
      },
    );
  });

  test('history can be read on from where it was, at a moment of which the tables are too', async () => {
    const facts = [PAYMENTS as FactLog<never>];
    const places: HistoryPlace[] = [];
    const added = async (): Promise<unknown> => {
      await using inspection = await under.access().inspect();
      const lines = (await collect(inspection.historyFrom(places.at(-1) ?? null, facts))).map(sayLine);
      places.push(inspection.place);
      return [lines.slice(-3), [...inspection.items()].find(({ item }) => item === 'book')?.quantity];
    };
    await using store = await own();
    await commit(store, { facts: [paid('ORD-0')] });
    const [before] = (await added()) as [string[]];
    expect(before.at(-1)).toBe('fact ORD-0');
    expect(await added()).toEqual([[], 10]);
    await commit(store, { movements: [movement('book', -3)], facts: [newFact(EVENTS, { event: 'e' })] });
    await commit(store, { decisions: [accepted(order('ORD-1'), [7], 4)], facts: [paid('ORD-1')] });
    expect(await added()).toEqual([['movement book', 'decision ORD-1', 'fact ORD-1'], expect.any(Number)]);
    expect(await added()).toEqual([[], expect.any(Number)]);
    // An earlier copy in its place has less of it.
    for (const { storeId, ends } of places.slice(-1))
      places.push({ storeId, ends: new Map([...ends].map(([log, end]) => [log, end + 1])) });
    await expect(added()).rejects.toMatchObject({ code: 'changed_since' });
  });

  describe('movements', () => {
    test('count after edits and decisions, and are logged with what is on hand after them', async () => {
      let seq = 0;
      await everywhere(
        async (store) => {
          seq = await commit(store, {
            decisions: [accepted(order('ORD-1'), [10])],
            movements: [movement('book', -3), movement('book', 5)],
          });
          await commit(store, { movements: [movement('book', -10)] });
        },
        async (reader) => {
          expect([...(await reader.items())].map(({ quantity }) => quantity)).toEqual([0]);
          const found = await collect(reader.movements());
          expect(found.map(({ onHand }) => onHand)).toEqual([5, 10, 0]);
          const [first, second] = [movement('book', -3), movement('book', 5)];
          expect(found[0]).toEqual({ ...first, seq, at: expect.any(Number) as number, onHand: 5 });
          expect(found[1]).toEqual({ ...second, seq, at: expect.any(Number) as number, onHand: 10 });
          expect(found[2]?.seq).toBeGreaterThan(seq);
        },
      );
    });

    test('a sale in a store goes below zero; an edit raises that, and takes it no lower', async () => {
      const sale = { item: 'book', delta: -13, cause: 'sale', orderId: null, eventId: 'e-2' } as const;
      await everywhere(
        async (store) => {
          await commit(store, { movements: [sale, movement('book', 1)] });
        },
        async (reader) => {
          expect([...(await reader.items())].map(({ quantity }) => quantity)).toEqual([-2]);
          expect((await collect(reader.movements())).map(({ onHand }) => onHand)).toEqual([-3, -2]);
        },
      );
      const via = { via: 'command', onNotice: () => undefined } as const;
      const edit = (by: number) => under.access().edit({ kind: 'item.update', item: 'book', by }, via);
      await expect(edit(-1)).rejects.toMatchObject({ code: 'invalid_value' });
      await edit(1);
      await using reader = await under.access().read();
      expect([...(await reader.items())].map(({ quantity }) => quantity)).toEqual([-1]);
    });

    test('of what does not exist, or is not there, are a bug', async () => {
      for (const wrong of [movement('desk', 1), movement('book', -11)]) {
        await using store = await own();
        await expect(commit(store, { movements: [wrong] })).rejects.toThrow(wrong.item);
      }
      await using reader = await under.access().read();
      expect(await collect(reader.movements())).toEqual([]);
      expect([...(await reader.items())].map(({ quantity }) => quantity)).toEqual([10]);
    });
  });

  test('what changed the stock of an item is read from the ends of the logs', async () => {
    await under.access().edit({ kind: 'item.add', item: 'pen', quantity: 4 }, { via: 'command', onNotice });
    {
      await using store = await own();
      await commit(store, { decisions: [accepted(order('ORD-1'), [10])], movements: [movement('book', 5)] });
      await commit(store, { movements: [movement('book', -3), movement('book', -1)] });
    }
    await under.access().edit({ kind: 'item.update', item: 'book', by: 1 }, { via: 'command', onNotice });
    await using view = await access.read();
    const read = async (log: StockLog, item: string, before?: LogPlace) => {
      const lines: StockPiece['lines'][number][] = [];
      const begins: LogPlace[] = [];
      for await (const piece of view.stockFromEnd(log, item, before)) {
        expect(piece.lines.every(({ line }) => (line.seq ?? 0) >= (piece.first.seq ?? 0))).toBe(true);
        lines.push(...piece.lines);
        begins.push(piece.begin);
      }
      return { lines, begins };
    };
    const said = async (log: StockLog, item: string): Promise<unknown[]> =>
      (await read(log, item)).lines.map(({ line }) => {
        if (line.kind === 'movement') return line.movement.onHand;
        return line.kind === 'edit' && line.edit.kind === 'item' ? line.edit.after?.quantity : line.kind;
      });
    expect(await said('movements', 'book')).toEqual([9, 10, 13]);
    expect(await said('edits', 'book')).toEqual([10, 10]);
    expect(await said('edits', 'pen')).toEqual([4]);
    expect(await said('accepted', 'book')).toEqual(['decision']);
    for (const log of STOCK_LOGS) {
      expect(await said(log, 'pe')).toEqual([]);
      const { lines, begins } = await read(log, 'book');
      for (const [at, { behind }] of lines.entries())
        expect((await read(log, 'book', behind)).lines).toEqual(lines.slice(at));
      for (const begin of begins) expect((await read(log, 'book', begin)).begins).not.toContainEqual(begin);
      expect((await read(log, 'book', begins.at(-1))).begins).toEqual([]);
    }
  });

  describe('facts', () => {
    test('come back by key in the order in which they were appended, each log for itself', async () => {
      const odd = { event: 'constructor', seq: 'mine', nested: { a: [1, null, 'é\u2028'] } };
      await everywhere(
        async (store) => {
          await commit(store, { facts: [paid('o-1', 'a'), paid('o-2', 'b'), newFact(EVENTS, odd)] });
          await commit(store, { facts: [paid('o-1', 'c'), newFact(EVENTS, { event: 'o-1' })] });
          await commit(store, { facts: [paid('o-1', 'd')] });
        },
        async (reader) => {
          const steps = async (key: string): Promise<string[]> =>
            (await reader.facts(PAYMENTS, key)).map(({ step }) => step);
          expect(await steps('o-1')).toEqual(['a', 'c', 'd']);
          expect(await steps('o-2')).toEqual(['b']);
          expect(await steps('o')).toEqual([]);
          expect(await reader.facts(EVENTS, 'constructor')).toEqual([odd]);
          expect(await reader.facts(EVENTS, 'o-1')).toEqual([{ event: 'o-1' }]);
          const all = await collect(reader.allFacts(PAYMENTS));
          expect(all.map(({ step }) => step)).toEqual(['a', 'b', 'c', 'd']);
        },
      );
    });

    test('are read from the last one back', async () => {
      await using store = await own();
      await commit(store, { facts: [paid('o-1', 'a'), paid('o-2', 'b')] });
      await commit(store, { facts: [paid('o-1', 'c')] });
      await using view = await access.read();
      const all = { field: 'step', values: ['a', 'b', 'c'] } as const;
      const lines = await collect(view.factsFromEnd(PAYMENTS, all));
      expect(lines.map(({ value }) => value.step)).toEqual(['c', 'b', 'a']);
      for (const [at, { place }] of lines.entries())
        expect(await collect(view.factsFromEnd(PAYMENTS, all, place))).toEqual(lines.slice(at));
      const some = await collect(view.factsFromEnd(PAYMENTS, { field: 'step', values: ['a', 'c'] }));
      expect(some).toEqual([lines[0], lines[2]]);
    });

    test('are there for the next transaction, and none are of a log that has no line', async () => {
      await using store = await own();
      const keys = { facts: new Map([[PAYMENTS, ['o-1', 'o-3']]]) };
      const look = (): Promise<readonly (readonly Paid[])[]> =>
        store.transact(keys, (snapshot) => ({
          changes: {},
          result: [snapshot.facts(PAYMENTS, 'o-1'), snapshot.facts(PAYMENTS, 'o-3')],
        }));
      expect(await look()).toEqual([[], []]);
      expect(await store.facts(PAYMENTS, 'o-1')).toEqual([]);
      expect(await collect(store.allFacts(PAYMENTS))).toEqual([]);
      await commit(store, { facts: [paid('o-1')] });
      expect(await look()).toEqual([[{ order_id: 'o-1', step: 'paid' }], []]);
    });

    test('of one key may be many', async () => {
      await everywhere(
        async (store) => {
          for (let batch = 0; batch < 10; batch++) {
            const facts = Array.from({ length: 100 }, (_, i) => [
              paid('one', `${batch * 100 + i}`),
              paid(`o-${i}`),
            ]);
            await commit(store, { facts: facts.flat() });
          }
        },
        async (reader) => {
          const steps = (await reader.facts(PAYMENTS, 'one')).map(({ step }) => Number(step));
          expect(steps).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
          expect((await reader.facts(PAYMENTS, 'o-7')).length).toBe(10);
        },
      );
    });
  });

  test('small tables hold what was put last, and what is null is gone', async () => {
    const put = (key: string, value: unknown) => ({ table: SETTINGS, key, value });
    await everywhere(
      async (store) => {
        await commit(store, {
          small: [put('a', 1), put('__proto__', ['x', { y: null }]), put('gone', true)],
        });
        await commit(store, { small: [put('a', 'é"'), put('gone', null), put('never', null)] });
        await commit(store, { small: [{ table: REVISIONS, key: 'a', value: { revision: 3 } }] });
        const seen = await store.transact({}, (snapshot) => ({
          changes: {},
          result: [snapshot.small(SETTINGS, 'a'), snapshot.small(REVISIONS, 'a')?.revision],
        }));
        expect(seen).toEqual(['é"', 3]);
        expect(await store.small({ name: 'none' })).toEqual(new Map());
      },
      async (reader) => {
        const rows = new Map<string, unknown>([
          ['a', 'é"'],
          ['__proto__', ['x', { y: null }]],
        ]);
        expect(await reader.small(SETTINGS)).toEqual(rows);
        expect(await reader.small(REVISIONS)).toEqual(new Map([['a', { revision: 3 }]]));
      },
    );
  });

  describe('effects', () => {
    const change = (id: string, dueAt: number, kind: Effect['kind'] = 'mail') =>
      newEffect({ id, kind, key: `key of ${id}`, fields: { to: 'a@b', n: 1 } }, dueAt);
    const take = (store: Store, limit = 10, leaseMs = HOUR_MS): Promise<readonly Effect[]> =>
      store.takeEffects({ kinds: ['mail'], limit, leaseMs });
    const ids = (effects: readonly Effect[]): string[] => effects.map(({ id }) => id);

    test('are handed out when they are due, the oldest first, and to nobody else before the lease is over', async () => {
      const from = Date.now();
      await using store = await own();
      const later = change('later', Date.now() + HOUR_MS);
      await commit(store, { effects: [change('b', 2), change('a', 1), later, change('c', 0, 'charge')] });
      expect(store.dueInMs(['mail'])).toBe(0);
      expect(store.dueInMs(['webhook'])).toBeNull();
      const [first] = await take(store, 1);
      expect(first).toMatchObject({ id: 'a', key: 'key of a', fields: { to: 'a@b', n: 1 } });
      expect(first).toMatchObject({ state: 'trying', attempts: 1 });
      expect(first?.firstTriedAt).toBeGreaterThanOrEqual(from);
      expect(ids(await take(store, 10, 0))).toEqual(['b']);
      // Its lease is over.
      const [again] = await take(store);
      expect(again).toMatchObject({ id: 'b', attempts: 2 });
      expect(await take(store)).toEqual([]);
      expect(store.dueInMs(['mail'])).toBeGreaterThan(0);
      expect(store.dueInMs(['mail'])).toBeLessThan(HOUR_MS + 1);
    });

    test('are done with when a commit says so, tried again when it makes them due, and not when it parks them', async () => {
      await using store = await own();
      await commit(store, { effects: [change('a', 1), change('b', 2), change('c', 3)] });
      const [a, b, c] = await take(store);
      if (a === undefined || b === undefined || c === undefined) throw new Error('three are due');
      await store.transact({ effects: ['a', 'b', 'c'] }, (snapshot) => {
        expect(snapshot.effect('a')).toEqual(a);
        const effects = [
          { id: 'a', effect: null },
          { id: 'b', effect: { ...b, state: 'due' as const, dueAt: 5 } },
          { id: 'c', effect: { ...c, state: 'parked' as const } },
        ];
        return { changes: { effects }, result: null };
      });
      expect(store.dueInMs(['mail'])).toBe(0);
      const [again] = await take(store);
      expect(again).toMatchObject({ id: 'b', attempts: 2, firstTriedAt: b.firstTriedAt });
      expect(ids(await store.effects()).sort()).toEqual(['b', 'c']);
      expect(ids(await store.effects(['a', 'c']))).toEqual(['c']);
    });

    test('are not replaced by new ones of the same id, which are a bug of what decides', async () => {
      await using store = await own();
      await commit(store, { effects: [change('a', 1)] });
      await take(store);
      await expect(commit(store, { effects: [change('a', 2)] })).rejects.toThrow(
        'effect a is already pending',
      );
    });

    test('may be removed and owed again by one commit', async () => {
      await using store = await own();
      await commit(store, { effects: [change('a', 1)] });
      await commit(store, { effects: [{ id: 'a', effect: null }, change('a', 2)] });
      expect(await store.effects()).toEqual([change('a', 2).effect]);
      expect(store.dueInMs(['mail'])).toBe(0);
    });

    test('are handed out by when they are due, however often that changed', async () => {
      await using store = await own();
      const names = Array.from({ length: 200 }, (_, at) => `e${at}`);
      const dueAt = (name: string, round: number): number =>
        1 + ((Number(name.slice(1)) * 37 + round * 101) % 200);
      await commit(store, { effects: names.map((name) => change(name, dueAt(name, 0))) });
      for (let round = 1; round <= 20; round++) {
        const effects = names.map((id) => ({ id, effect: change(id, dueAt(id, round)).effect }));
        await commit(store, { effects });
      }
      await commit(store, { effects: [{ id: 'e7', effect: null }] });
      const expected = names.filter((name) => name !== 'e7').toSorted((a, b) => dueAt(a, 20) - dueAt(b, 20));
      expect(ids(await take(store, 150))).toEqual(expected.slice(0, 150));
      expect(store.dueInMs(['mail'])).toBe(0);
      expect(ids(await take(store, 150))).toEqual(expected.slice(150));
    });

    test('that an owner was trying are those of the next one at once', async () => {
      {
        await using store = await own();
        await commit(store, { effects: [change('a', 1), change('b', 2)] });
        expect(ids(await take(store, 1))).toEqual(['a']);
      }
      await using store = await own();
      expect((await store.effects()).find(({ id }) => id === 'a')).toMatchObject({ state: 'trying' });
      expect(store.dueInMs(['mail'])).toBe(0);
      const taken = await take(store);
      expect(taken.map(({ id, attempts }) => [id, attempts])).toEqual([
        ['a', 2],
        ['b', 1],
      ]);
      expect(await take(store)).toEqual([]);
    });

    test('that are owed are seen by a reader', async () => {
      await everywhere(
        (store) => commit(store, { effects: [change('a', 1)] }),
        async (reader) => expect(await reader.effects()).toEqual([change('a', 1).effect]),
      );
    });
  });

  describe('messages to be sent', () => {
    const types = ['alerts', 'inventory-events'];
    const some = (from: number): Outgoing[] =>
      [0, 1, 2].flatMap((i) => types.map((type) => message(type, from + i)));

    test('leave by destination, those of a key in their order, and one that takes nothing holds up no other', async () => {
      await using store = await own();
      await commit(store, { outgoing: some(0) });
      await commit(store, { outgoing: some(3) });
      expect(store.unsent()).toEqual(
        new Map([
          ['alerts', 6],
          ['inventory-events', 6],
        ]),
      );
      const sent: Outgoing[] = [];
      const send = async (unsent: readonly Outgoing[]): Promise<readonly never[]> => {
        sent.push(...unsent);
        return [];
      };
      let giveUp: (error: Error) => void = () => undefined;
      const dead = store.drain('alerts', () => new Promise((_, reject) => (giveUp = reject)));
      expect(await store.drain('inventory-events', send)).toBe(6);
      expect(byKey(sent)).toEqual(byKey([0, 1, 2, 3, 4, 5].map((n) => message('inventory-events', n))));
      expect(store.unsent()).toEqual(new Map([['alerts', 6]]));
      expect(await store.drain('other', send)).toBe(0);
      giveUp(new Error('it takes nothing'));
      await expect(dead).rejects.toThrow('it takes nothing');
    });

    test('stay for the next owner where they were not sent, and do not come again where they were', async () => {
      {
        await using store = await own();
        await commit(store, { outgoing: some(0) });
        expect(await store.drain('alerts', async () => [])).toBe(3);
        await commit(store, { outgoing: [message('alerts', 7)] });
        const fails = store.drain('inventory-events', () => Promise.reject(new Error('no broker')));
        await expect(fails).rejects.toThrow('no broker');
      }
      await using store = await own();
      expect(store.unsent()).toEqual(
        new Map([
          ['alerts', 1],
          ['inventory-events', 3],
        ]),
      );
      const sent: Outgoing[] = [];
      for (const type of types) {
        await store.drain(type, async (unsent) => {
          sent.push(...unsent);
          return [];
        });
      }
      const events = [0, 1, 2].map((n) => message('inventory-events', n));
      expect(byKey(sent)).toEqual(byKey([message('alerts', 7), ...events]));
      expect(store.unsent()).toEqual(new Map());
    });
  });

  describe('what follows from edits', () => {
    const seen: { edits: readonly Edit[]; quantity: number | undefined }[] = [];
    const onEdits: OwnOptions['onEdits'] = (edits, state) => {
      seen.push({ edits, quantity: state.quantity('book') });
      const revision = (state.small(REVISIONS, 'book')?.revision ?? 0) + 1;
      return {
        small: [{ table: REVISIONS, key: 'book', value: { revision } }],
        outgoing: [message('inventory-events', revision)],
      };
    };
    const how = { via: 'command', onNotice } as const;
    beforeEach(() => void seen.splice(0));

    test('is committed with them, by whatever way they came, on the state before them', async () => {
      await using store = await own({ onEdits });
      await under.access().edit({ kind: 'item.update', item: 'book', by: 5 }, how);
      await store.transact({ items: ['book'] }, (snapshot) => {
        const before = snapshot.item('book');
        if (before === undefined) throw new Error('there is a book');
        const after = { ...before, quantity: 7 };
        const edits = [{ kind: 'item', item: 'book', before, after } as const];
        return { changes: { edits, outgoing: [message('inventory-events', 9)] }, result: null };
      });
      expect(seen.map(({ quantity }) => quantity)).toEqual([10, 15]);
      expect(await store.small(REVISIONS)).toEqual(new Map([['book', { revision: 2 }]]));
      await using reader = await under.access().read();
      expect(await reader.small(REVISIONS)).toEqual(new Map([['book', { revision: 2 }]]));
      const sent: Outgoing[] = [];
      await store.drain('inventory-events', async (unsent) => {
        sent.push(...unsent);
        return [];
      });
      expect(byKey(sent)).toEqual(byKey([1, 2, 9].map((n) => message('inventory-events', n))));
    });

    test('is nothing where they change no row', async () => {
      await using store = await own({ onEdits });
      await under.access().edit({ kind: 'item.update', item: 'book', quantity: 10 }, how);
      await under.access().edit({ kind: 'user.update', user: 'alice', status: 'paid' }, how);
      const moved = {
        kind: 'position',
        processor: 'orders',
        topic: 't',
        partition: 0,
        before: 1,
        after: 2,
        cause: 'reset',
      } as const;
      await commit(store, { edits: [moved] });
      expect(seen).toEqual([]);
    });
  });

  test('an owner hears of each commit that leaves something to be sent or done', async () => {
    let calls = 0;
    await using store = await own({ onOwed: () => (calls += 1) });
    await commit(store, { facts: [paid('o-1')] });
    expect(calls).toBe(0);
    await commit(store, { outgoing: [message('alerts', 1)] });
    expect(calls).toBe(1);
    await commit(store, { effects: [newEffect({ id: 'a', kind: 'log', key: 'k', fields: {} }, 1)] });
    expect(calls).toBe(2);
    await store.takeEffects({ kinds: ['log'], limit: 1, leaseMs: HOUR_MS });
    await store.drain('alerts', async () => []);
    expect(calls).toBe(2);
  });
}
