import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Decided } from '../../src/domain/orders/decided.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { StoreNotice } from '../../src/ports/notices.ts';
import type { ConsumerStatus } from '../../src/ports/owner.ts';
import type { HistoryLine, Outgoing, OutgoingRecord, Store, StoredPosition } from '../../src/ports/store.ts';

/** A store to hold against the port's contract; `access` may be called again and again on the same folder. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly access: () => StoreAccess;
}

const AT = Date.UTC(2026, 2, 4, 5, 6, 7, 89);
const PARTITION = { topic: 'orders', partition: 3 };
const SOURCE = { processor: 'orders', ...PARTITION } as const;
const DLQ = 'orders.dlq';

export function order(orderId: string, item = 'book', quantity = 2, user = 'alice'): Order {
  return { orderId, user, items: [{ item, quantity, unitPrice: null }], createdAt: AT - 1000 };
}

export function accepted(of: Order, stock: readonly number[], offset = 7): Decided {
  return { order: of, record: { ...PARTITION, offset }, outcome: { kind: 'accepted', stock }, decidedAt: AT };
}

export function rejected(of: Order, offset = 8): Decided {
  return {
    order: of,
    record: { ...PARTITION, offset },
    outcome: {
      kind: 'rejected',
      reason: 'user_not_paid',
      detail: 'user "bob" is unpaid — 未払い\n\u2028',
      userStatus: 'unpaid',
      stock: of.items.map(() => null),
    },
    decidedAt: AT,
  };
}

function position(next: number): StoredPosition {
  return {
    ...SOURCE,
    next,
    last: { offset: next - 1, timestamp: AT, crc: 4_000_000_000 },
    clusterId: 'c-1',
  };
}

function outgoing(id: string): OutgoingRecord {
  return {
    kind: 'record',
    id,
    topic: DLQ,
    key: Buffer.from([0, 1, 254, 255]),
    value: null,
    headers: [
      ['both', 'a'],
      ['text', 'é'],
      ['bytes', Buffer.from([255])],
      ['both', Buffer.from([1])],
      ['none', null],
      ['empty', Buffer.from([])],
    ],
  };
}

function isRecord(outgoing: Outgoing): outgoing is OutgoingRecord {
  return outgoing.kind === 'record';
}

export async function collect<T>(chunks: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const chunk of chunks) all.push(...chunk);
  return all;
}

/** Every promise of src/ports/store.ts that needs no knowledge of how a store keeps its data. */
export function storeContract(make: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest;
  let access: StoreAccess;
  const notices: StoreNotice[] = [];
  const onNotice = (notice: StoreNotice): void => void notices.push(notice);

  beforeEach(async () => {
    under = await make();
    access = under.access();
    notices.length = 0;
  });
  afterEach(() => under[Symbol.asyncDispose]());

  const own = (): Promise<Store> =>
    under.access().own({ purpose: 'consume topic t', via: 'consume', isAlone: true, onNotice });

  async function fill(): Promise<void> {
    const how = { via: 'command', onNotice } as const;
    await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, how);
    await access.edit({ kind: 'user.add', user: 'bob', status: 'unpaid' }, how);
    await access.edit({ kind: 'item.add', item: 'book', quantity: 10 }, how);
    await access.edit(
      {
        kind: 'item.add',
        item: 'pen',
        quantity: 50,
        name: 'Pen, blue "fine"',
        price: '1.5',
        reorderLevel: 5,
      },
      how,
    );
  }

  describe('reading', () => {
    test('a fresh folder is empty', async () => {
      await (await own())[Symbol.asyncDispose]();
      await using reader = await access.read();
      expect([...(await reader.users())]).toEqual([]);
      expect([...(await reader.items())]).toEqual([]);
      expect(await reader.decided('ORD-1')).toBeUndefined();
      expect(await collect(reader.decisions('accepted'))).toEqual([]);
      expect(await collect(reader.edits())).toEqual([]);
      expect(await reader.positions()).toEqual([]);
    });

    test('a reader sees every commit that was made before it, while the folder is owned', async () => {
      await fill();
      await using store = await own();
      for (let count = 1; count <= 3; count++) {
        await decideOne(store, accepted(order(`ORD-${count}`), [12 - 2 * count], count));
        await using reader = await access.read();
        expect(await reader.decided(`ORD-${count}`)).toEqual(
          accepted(order(`ORD-${count}`), [12 - 2 * count], count),
        );
        const decided = await collect(reader.decisions('accepted'));
        expect(decided.length).toBe(count);
        const lines = await collect(reader.decisionsFromEnd('accepted'));
        expect(lines.map(({ value }) => value)).toEqual(decided.reverse());
        for (const [at, { place }] of lines.entries())
          expect(await collect(reader.decisionsFromEnd('accepted', place))).toEqual(lines.slice(at));
        expect([...(await reader.items())][0]?.quantity).toBe(10 - 2 * count);
      }
    });
  });

  test('what is added after a reader was opened comes to it in order, though it is closed, and nothing else', async () => {
    await fill();
    await using store = await own();
    await decideOne(store, accepted(order('ORD-1'), [10], 1));
    const reader = await access.read();
    const stop = new AbortController();
    const later = reader.follow([], stop.signal)[Symbol.asyncIterator]();
    await reader[Symbol.asyncDispose]();
    const found: HistoryLine[] = [];
    const until = async (count: number): Promise<void> => {
      while (found.length < count) found.push(...((await later.next()).value as readonly HistoryLine[]));
    };
    await decideOne(store, accepted(order('ORD-2'), [8], 2));
    await until(1);
    await decideOne(store, rejected(order('ORD-3'), 3));
    await access.edit({ kind: 'item.update', item: 'book', by: 5 }, { via: 'command', onNotice });
    const movement = { item: 'book', delta: 1, cause: 'restock', orderId: 'ORD-2', eventId: 'E-1' } as const;
    await store.transact({ items: ['book'] }, () => ({ changes: { movements: [movement] }, result: null }));
    await decideOne(store, accepted(order('ORD-4'), [12], 4));
    await until(5);
    stop.abort();
    const what = found.map((entry) => {
      if (entry.kind === 'decision') return entry.decided.order.orderId;
      if (entry.kind === 'movement') return entry.movement.eventId;
      return entry.kind === 'edit' ? entry.edit.kind : entry.kind;
    });
    expect(what).toEqual(['ORD-2', 'ORD-3', 'item', 'E-1', 'ORD-4']);
    const seqs = found.map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from(seqs, (_, index) => (seqs[0] ?? NaN) + index));
    expect((await later.next()).done).toBe(true);
  });

  async function decideOne(store: Store, decided: Decided): Promise<void> {
    const keys = { items: decided.order.items.map(({ item }) => item), orders: [decided.order.orderId] };
    await store.transact(keys, () => ({ changes: { decisions: [decided] }, result: null }));
  }

  describe('edits', () => {
    test('are made, logged with who and how, and come back as they were', async () => {
      await fill();
      const how = { via: 'command', onNotice } as const;
      const edit = await access.edit({ kind: 'item.update', item: 'book', by: -3 }, how);
      expect(edit).toMatchObject({ kind: 'item', before: { quantity: 10 }, after: { quantity: 7 } });
      await access.edit({ kind: 'user.remove', user: 'bob' }, how);

      await using reader = await access.read();
      expect([...(await reader.users())]).toEqual([{ user: 'alice', status: 'paid', extra: {} }]);
      const pen = {
        item: 'pen',
        quantity: 50,
        name: 'Pen, blue "fine"',
        price: '1.50',
        reorderLevel: 5,
        extra: {},
      };
      expect(await reader.userNamed('alice')).toMatchObject({ status: 'paid' });
      expect(await reader.userNamed('bob')).toBeUndefined();
      expect(await reader.itemNamed('pen')).toEqual(pen);
      expect(await reader.itemNamed('ink')).toBeUndefined();
      expect([...(await reader.items())]).toEqual([
        expect.objectContaining({ item: 'book', quantity: 7 }),
        pen,
      ]);
      const logged = await collect(reader.edits());
      expect(logged.map(({ kind }) => kind)).toEqual(['user', 'user', 'item', 'item', 'item', 'user']);
      expect(logged[4]).toMatchObject({ via: 'command', before: { quantity: 10 }, after: { quantity: 7 } });
      expect(logged.every(({ at, by }) => Number.isSafeInteger(at) && by !== '')).toBe(true);
    });

    test('of dead letters are logged as they were asked for and change no table', async () => {
      await fill();
      const letters = Array.from({ length: 3_000 }, (_, i) => ({ id: `0:${i}`, key: `orders/0@${i} g é` }));
      const mark = { topic: 'orders.dlq', action: 'discarded', why: 'a test', letters } as const;
      await using store = await own();
      const how = { via: 'command', onNotice } as const;
      await under.access().edit({ kind: 'dead_letter.mark', ...mark }, how);
      expect([...(await store.items())].map(({ quantity }) => quantity)).toEqual([10, 50]);
      await using reader = await access.read();
      expect((await collect(reader.edits())).at(-1)).toMatchObject({ kind: 'dead_letter', ...mark });
    });

    test('that mean nothing are refused and change nothing', async () => {
      await fill();
      const how = { via: 'command', onNotice } as const;
      const refused = async (promise: Promise<unknown>): Promise<string> => {
        const error: unknown = await promise.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        return isFailure(error) ? error.code : String(error);
      };
      const add = { kind: 'user.add', user: 'alice', status: 'unpaid' } as const;
      expect(await refused(access.edit(add, how))).toBe('already_exists');
      expect(await refused(access.edit({ kind: 'item.remove', item: 'desk' }, how))).toBe('not_found');
      expect(await refused(access.edit({ kind: 'item.update', item: 'book', by: -11 }, how))).toBe(
        'invalid_value',
      );
      await using reader = await access.read();
      expect((await collect(reader.edits())).length).toBe(4);
      expect([...(await reader.users())][0]?.status).toBe('paid');
    });

    test('beside an owner count from its next transaction', async () => {
      await fill();
      await using store = await own();
      const how = { via: 'command', onNotice } as const;
      await under.access().edit({ kind: 'user.update', user: 'bob', status: 'paid' }, how);
      const status = await store.transact({ users: ['bob'] }, (snapshot) => ({
        changes: {},
        result: snapshot.user('bob')?.status,
      }));
      expect(status).toBe('paid');
      expect([...(await store.users())].map((row) => row.status)).toEqual(['paid', 'paid']);
    });
  });

  describe('transact', () => {
    test('makes all changes visible together, and they outlive the owner', async () => {
      await fill();
      const storeId = await change();
      await using reader = await access.read();
      await using store = await own();
      expect(store.storeId).toBe(storeId);
      for (const seen of [reader, store]) {
        expect(await seen.decided('ORD-1')).toEqual(accepted(order('ORD-1'), [10]));
        expect(await seen.decided('ORD-2')).toEqual(rejected(order('ORD-2', 'pen', 1.5e300, 'bob')));
        expect(await collect(seen.decisions('accepted'))).toEqual([accepted(order('ORD-1'), [10])]);
        expect(await collect(seen.decisions('rejected'))).toEqual([
          rejected(order('ORD-2', 'pen', 1.5e300, 'bob')),
        ]);
        expect([...(await seen.items())].map(({ quantity }) => quantity)).toEqual([8, 50]);
        expect(await seen.positions()).toEqual([position(9)]);
        expect((await collect(seen.edits())).at(-1)).toMatchObject({
          kind: 'position',
          before: null,
          after: 9,
        });
      }
      expect(store.unsent()).toEqual(new Map([[DLQ, 1]]));
    });

    async function change(): Promise<string> {
      await using store = await own();
      const keys = {
        users: ['alice'],
        items: ['book', 'pen', 'desk'],
        orders: ['ORD-1', 'ORD-2', 'ORD-3'],
        positions: [SOURCE],
      };
      const result = await store.transact(keys, (snapshot) => {
        expect(snapshot.user('alice')).toEqual({ user: 'alice', status: 'paid', extra: {} });
        expect(snapshot.item('book')?.quantity).toBe(10);
        expect(snapshot.item('desk')).toBeUndefined();
        expect(snapshot.decided('ORD-1')).toBeUndefined();
        expect(snapshot.position(SOURCE)).toBeUndefined();
        const edit = { kind: 'position', ...SOURCE, before: null, after: 9, cause: 'adopt' } as const;
        return {
          changes: {
            decisions: [accepted(order('ORD-1'), [10]), rejected(order('ORD-2', 'pen', 1.5e300, 'bob'))],
            edits: [edit],
            positions: [position(9)],
            outgoing: [outgoing('orders/3@8')],
          },
          result: 'what decide gave',
        };
      });
      expect(result).toBe('what decide gave');
      const seen = await store.transact(keys, (snapshot) => ({
        changes: {},
        result: [snapshot.item('book')?.quantity, snapshot.decided('ORD-1'), snapshot.position(SOURCE)],
      }));
      expect(seen).toEqual([8, accepted(order('ORD-1'), [10]), position(9)]);
      return store.storeId;
    }

    test('runs one after the other, in the order of the calls', async () => {
      await fill();
      await using store = await own();
      const seen = await Promise.all(
        Array.from({ length: 5 }, (_, index) =>
          store.transact({ items: ['book'], orders: [`ORD-${index}`] }, (snapshot) => {
            const stock = snapshot.item('book')?.quantity ?? 0;
            const decisions = [accepted(order(`ORD-${index}`, 'book', 1), [stock], index)];
            return { changes: { decisions }, result: stock };
          }),
        ),
      );
      expect(seen).toEqual([10, 9, 8, 7, 6]);
    });

    test('takes the stock of all lines, of one item too', async () => {
      await fill();
      await using store = await own();
      const items = [
        { item: 'book', quantity: 4, unitPrice: '12.50' },
        { item: 'pen', quantity: 1, unitPrice: null },
        { item: 'book', quantity: 6, unitPrice: null },
      ];
      const decided = accepted({ ...order('ORD-1'), items }, [10, 50, 10]);
      await decideOne(store, decided);
      expect([...(await store.items())].map(({ quantity }) => quantity)).toEqual([0, 49]);
      expect(await store.decided('ORD-1')).toEqual(decided);
    });

    test('rejects with what `decide` throws, and goes on as if nothing had happened', async () => {
      await fill();
      await using store = await own();
      const thrown = store.transact({}, () => {
        throw new TypeError('of the caller');
      });
      await expect(thrown).rejects.toThrow(TypeError);
      await decideOne(store, accepted(order('ORD-1'), [10]));
      expect([...(await store.items())][0]?.quantity).toBe(8);
    });

    test('keeps odd times and quantities of a rejected order', async () => {
      await fill();
      await using store = await own();
      const odd = { ...order('ORD-9', 'book', -0.25, 'bob'), createdAt: -62_198_755_200_001 };
      await decideOne(store, rejected(odd));
      await decideOne(
        store,
        rejected({ ...odd, orderId: 'ORD-10', items: [], createdAt: 253_402_300_800_000 }),
      );
      expect(await store.decided('ORD-9')).toEqual(rejected(odd));
      expect((await store.decided('ORD-10'))?.order).toMatchObject({
        items: [],
        createdAt: 253_402_300_800_000,
      });
    });
  });

  describe('outgoing records', () => {
    async function commitOutgoing(store: Store, ...ids: string[]): Promise<void> {
      await store.transact({}, () => ({ changes: { outgoing: ids.map(outgoing) }, result: null }));
    }

    test('leave in order, once, byte for byte', async () => {
      await using store = await own();
      await commitOutgoing(store, 'orders/3@1', 'orders/3@2');
      await commitOutgoing(store, 'orders/3@3');
      const sent: OutgoingRecord[] = [];
      const send = async (unsent: readonly Outgoing[]): Promise<readonly OutgoingRecord[]> => {
        sent.push(...unsent.filter(isRecord));
        return [];
      };
      expect(store.unsent()).toEqual(new Map([[DLQ, 3]]));
      expect(await store.drain(DLQ, send)).toBe(3);
      expect(await store.drain(DLQ, send)).toBe(0);
      expect(sent.map(({ id }) => id)).toEqual(['orders/3@1', 'orders/3@2', 'orders/3@3']);
      expect(sent[0]?.key).toEqual(Buffer.from([0, 1, 254, 255]));
      expect(sent[0]?.value).toBeNull();
      expect(sent[0]?.headers).toEqual(outgoing('').headers);
      expect(store.unsent()).toEqual(new Map());
    });

    test('stay when sending fails, over the end of the owner too', async () => {
      {
        await using store = await own();
        await commitOutgoing(store, 'orders/3@1', 'orders/3@2');
        const given: Outgoing[] = [];
        const fails = (records: readonly Outgoing[]): Promise<never> => {
          given.push(...records);
          return Promise.reject(new Error('no broker'));
        };
        await expect(store.drain(DLQ, fails)).rejects.toThrow('no broker');
        await commitOutgoing(store, 'orders/3@3');
        await expect(store.drain(DLQ, fails)).rejects.toThrow('no broker');
        // The same objects: so a sender knows those that went nevertheless.
        for (const index of [0, 1]) expect(given[index + 2]).toBe(given[index]);
        expect(store.unsent()).toEqual(new Map([[DLQ, 3]]));
      }
      await using store = await own();
      expect(store.unsent()).toEqual(new Map([[DLQ, 3]]));
      expect(await store.drain(DLQ, async () => [])).toBe(3);
    });

    test('that are refused for good do not come again, and are kept as they were', async () => {
      await using store = await own();
      await commitOutgoing(store, 'orders/3@2', 'orders/3@1', 'orders/3@3');
      expect(await store.drain(DLQ, async (unsent) => unsent.filter(isRecord).slice(0, 2))).toBe(1);
      expect(store.unsent()).toEqual(new Map());
      await using reader = await access.read();
      for (const seen of [reader, store]) {
        const kept: OutgoingRecord[] = [];
        for await (const record of seen.undelivered()) kept.push(record);
        expect(kept).toEqual(['orders/3@1', 'orders/3@2'].map((id) => ({ ...outgoing(id), name: id })));
      }
    });

    test('that are refused for good take the place of none with other content, and of the same alone', async () => {
      await using store = await own();
      // Offsets come again in a topic that was deleted and created again.
      for (const text of ['first', 'second', 'third', 'second', 'first']) {
        const record = { ...outgoing('orders/3@1'), value: Buffer.from(text) };
        await store.transact({}, () => ({ changes: { outgoing: [record] }, result: null }));
        await store.drain(DLQ, async (unsent) => unsent.filter(isRecord));
      }
      const kept = new Map<string, string>();
      for await (const { id, name, value } of store.undelivered()) {
        expect(id).toBe('orders/3@1');
        kept.set(name, Buffer.from(value ?? []).toString());
      }
      expect(kept.get('orders/3@1')).toBe('first');
      expect([...kept.values()].sort()).toEqual(['first', 'second', 'third']);
      for (const name of kept.keys()) expect(name).toMatch(/^orders\/3@1(~[0-9a-f]{8})?$/);
    });

    test('that are refused for good and differ in a header stand beside each other, but for when and how often they failed', async () => {
      await using store = await own();
      for (const [schema, failedAt] of [
        ['1', 'monday'],
        ['2', 'tuesday'],
        ['1', 'friday'],
      ] as const) {
        const headers = [
          ['schema-id', Buffer.from(schema)],
          ['x-failed-at', failedAt],
          ['x-attempts', failedAt],
        ] as const;
        const record = { ...outgoing('orders/3@1'), headers };
        await store.transact({}, () => ({ changes: { outgoing: [record] }, result: null }));
        await store.drain(DLQ, async (unsent) => unsent.filter(isRecord));
      }
      const kept: unknown[] = [];
      for await (const { headers } of store.undelivered()) {
        kept.push([Buffer.from(headers[0]?.[1] ?? '').toString(), headers[1]?.[1]]);
      }
      expect(kept).toEqual([
        ['1', 'friday'],
        ['2', 'tuesday'],
      ]);
    });

    test('that are refused for good are kept by their ids, however long the name of the topic', async () => {
      await using store = await own();
      const topic = 't'.repeat(249);
      const ids = [`${topic}/0@1`, `${topic}/0@2`, `${'u'.repeat(249)}/0@1`];
      for (const text of ['first', 'second', 'first']) {
        const records = ids.map((id) => ({ ...outgoing(id), value: Buffer.from(text) }));
        await store.transact({}, () => ({ changes: { outgoing: records }, result: null }));
        await store.drain(DLQ, async (unsent) => unsent.filter(isRecord));
      }
      const names: string[] = [];
      for await (const { name } of store.undelivered()) names.push(name);
      expect(names.filter((name) => !name.includes('~')).sort()).toEqual(ids);
      const others = names
        .filter((name) => name.includes('~'))
        .map((name) => name.replace(/~[0-9a-f]{8}$/, ''));
      expect(others.sort()).toEqual(ids);
    });

    test('committed while others are being sent wait for the next drain', async () => {
      await using store = await own();
      await commitOutgoing(store, 'orders/3@1');
      await store.drain(DLQ, async () => {
        await commitOutgoing(store, 'orders/3@2');
        return [];
      });
      expect(store.unsent()).toEqual(new Map([[DLQ, 1]]));
    });
  });

  test('a task is claimed by one at a time, beside an owner too', async () => {
    await using store = await own();
    expect(store.unsent()).toEqual(new Map());
    {
      await using claim = await access.claim('redrive');
      expect(claim).toBeDefined();
      const second = under.access().claim('redrive');
      await expect(second).rejects.toSatisfy((error) => isFailure(error, 'folder_in_use'));
    }
    await using again = await under.access().claim('redrive');
    expect(again).toBeDefined();
  });

  test('an owner that is a consumer says how it is; another says nothing', async () => {
    expect(await access.consumerStatus()).toBeNull();
    {
      await using store = await own();
      expect(await under.access().consumerStatus()).toBeNull();
      await using later = await access.read();
      expect(later.storeId).toBe(store.storeId);
    }
    let read = 0;
    const status = (): ConsumerStatus => ({
      state: 'consuming',
      waitingFor: null,
      topic: 'orders',
      group: 'g',
      ordersPerSecond: 0,
      lag: null,
      lastCommitAt: AT,
      counts: { read, accepted: 0, rejected: 0, duplicates: 0, conflicts: 0, deadLettered: 0 },
      processors: [],
      brokenFiles: [],
    });
    await using consumer = await access.own({ purpose: 'consume', via: 'consume', onNotice, status });
    read = 3;
    const running = { pid: process.pid, startedAt: expect.any(Number) as number, status: status() };
    expect(await under.access().consumerStatus()).toMatchObject(running);
    expect(consumer.unsent()).toEqual(new Map());
  });

  test('a file is kept beside the state, the newest of its name', async () => {
    await using store = await own();
    await store.keepFile('undo-1.csv', 'orders,0,1\n');
    expect(await store.keepFile('undo-1.csv', 'orders,0,2\n')).toMatch(/undo-1\.csv$/);
    expect(await store.keepFile('undo-2.csv', '')).toMatch(/undo-2\.csv$/);
  });

  test('a second owner is refused, and may come when the first has ended', async () => {
    {
      await using first = await own();
      expect(first.unsent()).toEqual(new Map());
      const second = own();
      await expect(second).rejects.toSatisfy((error) => isFailure(error, 'folder_in_use'));
    }
    await using store = await own();
    expect(store.unsent()).toEqual(new Map());
  });
}
