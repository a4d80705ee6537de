import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newEffect } from '../../src/domain/effects.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { SmallTable } from '../../src/domain/facts.ts';
import type { OutgoingMessage } from '../../src/domain/messages/outgoing.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { OwnOptions } from '../../src/ports/owner.ts';
import type { Changes, Outgoing, Store, StoredPosition } from '../../src/ports/store.ts';
import { waitFor } from '../support/wait.ts';
import { accepted, order, type StoreUnderTest } from './store.suite.ts';

const COUNTERS: SmallTable<number> = { name: 'counters' };
const SOURCE = { processor: 'orders', topic: 'orders', partition: 3 } as const;
const HOUR_MS = 3_600_000;
const DESTINATION = 'inventory-events';

function position(next: number): StoredPosition {
  return { ...SOURCE, next, last: null, clusterId: 'c-1' };
}

function message(key: string, number: number): OutgoingMessage {
  return {
    kind: 'message',
    id: `s/${key}/${number}`,
    type: DESTINATION,
    key,
    fields: { number },
    at: 1_790_000_000_000,
    traceparent: null,
  };
}

/** A store that several processes own at the same time; the rules are those of test/model/heart. */
export interface SharedStoreUnderTest extends StoreUnderTest {
  /** As `access`, for a process whose clock is ahead; its time passes as everywhere. */
  readonly ahead: (aheadMs: number) => StoreAccess;
  /** Takes an owner's row away, as others do when it was asleep for too long. */
  readonly forget: (purpose: string) => Promise<void>;
  /** As `stop --kill` does with one that does not answer. */
  readonly shutOut: (purpose: string) => Promise<void>;
  /** Ends all sessions at once, as an administrator may, or a restart. */
  readonly endSessions: () => Promise<void>;
}

export function sharedStoreContract(make: () => Promise<SharedStoreUnderTest>): void {
  let under: SharedStoreUnderTest;
  let access: StoreAccess;
  const opened: Store[] = [];

  beforeEach(async () => {
    under = await make();
    access = under.access();
    const how = { via: 'command', onNotice: () => undefined } as const;
    await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, how);
    await access.edit({ kind: 'item.add', item: 'book', quantity: 100 }, how);
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
    await under[Symbol.asyncDispose]();
  });

  const own = async (purpose: string, how: Partial<OwnOptions> = {}): Promise<Store> => {
    const store = await under.access().own({ purpose, via: 'consume', onNotice: () => undefined, ...how });
    opened.push(store);
    return store;
  };
  const close = async (store: Store): Promise<void> => {
    opened.splice(opened.indexOf(store), 1);
    await store[Symbol.asyncDispose]();
  };
  const commit = (store: Store, changes: Changes): Promise<unknown> =>
    store.transact({}, () => ({ changes, result: null }));
  /** Adds one to a counter, and returns what it is then. */
  const count = (store: Store, name = 'all'): Promise<number> =>
    store.transact({}, (state) => {
      const value = (state.small(COUNTERS, name) ?? 0) + 1;
      return { changes: { small: [{ table: COUNTERS, key: name, value }] }, result: value };
    });

  describe('what one commits the other decides on', () => {
    test('an order has one decision, by the first of them, and stock is taken once', async () => {
      const both = [await own('a'), await own('b')];
      const decide = (store: Store, id: string): Promise<boolean> =>
        store.transact({ users: ['alice'], items: ['book'], orders: [id] }, (state) => {
          if (state.decided(id) !== undefined) return { changes: {}, result: false };
          const stock = state.quantity('book') ?? 0;
          return {
            changes: { decisions: [accepted(order(id, 'book', 1), [stock])] },
            result: true,
          };
        });
      const ids = Array.from({ length: 20 }, (_, at) => `o-${at}`);
      const decided = await Promise.all(ids.flatMap((id) => both.map((store) => decide(store, id))));
      expect(decided.filter(Boolean)).toHaveLength(20);
      expect([...(await access.read().then((reader) => reader.items()))][0]?.quantity).toBe(80);
    });

    test('a position is in force for both, from the first one on', async () => {
      const both = [await own('a'), await own('b')];
      const advance = (store: Store, from: number | null): Promise<number | null> =>
        store.transact({ positions: [SOURCE] }, (state) => {
          const inForce = state.position(SOURCE)?.next ?? null;
          if (inForce !== from) return { changes: {}, result: inForce };
          return { changes: { positions: [position((from ?? 0) + 10)] }, result: null };
        });
      for (const from of [null, 10, 20]) {
        const found = await Promise.all(both.map((store) => advance(store, from)));
        expect(found.toSorted()).toEqual([(from ?? 0) + 10, null]);
      }
    });

    test('small tables are the same for both, also where a row is gone', async () => {
      const [a, b] = [await own('a'), await own('b')];
      const counts: number[] = [];
      for (let round = 0; round < 5; round++) counts.push(...(await Promise.all([count(a), count(b)])));
      expect(counts.toSorted((x, y) => x - y)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      await commit(a, { small: [{ table: COUNTERS, key: 'all', value: null }] });
      expect(await count(b)).toBe(1);
      expect(await count(a)).toBe(2);
    });
  });

  describe('what is to be sent', () => {
    /** Sends all that the store is to send, and notes who sent what. */
    const drain = async (store: Store, sent: Outgoing[]): Promise<void> => {
      while (store.unsent().has(DESTINATION)) {
        await store.drain(DESTINATION, async (unsent) => {
          sent.push(...unsent);
          return [];
        });
      }
    };
    const keyOf = (one: Outgoing): string => String(one.key);
    const KEYS = Array.from({ length: 40 }, (_, at) => `item-${at}`);

    test('is divided by key, each sent by one and in its order, and taken over from who leaves', async () => {
      const [a, b] = [await own('a'), await own('b')];
      const sent: [Outgoing[], Outgoing[]] = [[], []];
      for (let number = 0; number < 3; number++) {
        await commit(number === 1 ? b : a, { outgoing: KEYS.map((key) => message(key, number)) });
      }
      await waitFor('b to have a part', () => b.unsent().has(DESTINATION));
      await waitFor('all to be sent', async () => {
        await Promise.all([drain(a, sent[0]), drain(b, sent[1])]);
        return sent[0].length + sent[1].length >= 120;
      });
      const ids = sent.flat().map(({ id }) => id);
      expect(new Set(ids).size).toBe(120);
      const [ofA, ofB] = sent.map((some) => new Set(some.map(keyOf)));
      expect([...(ofA ?? [])].filter((key) => ofB?.has(key) === true)).toEqual([]);
      expect(Math.min(ofA?.size ?? 0, ofB?.size ?? 0)).toBeGreaterThan(0);
      for (const key of KEYS) {
        const some = sent.flat().filter((one) => keyOf(one) === key);
        expect(some.map(({ id }) => id)).toEqual([0, 1, 2].map((number) => `s/${key}/${number}`));
      }
      await commit(a, { outgoing: KEYS.map((key) => message(key, 3)) });
      expect(await b.unsentElsewhere()).toBeGreaterThan(0);
      await close(a);
      const last: Outgoing[] = [];
      await waitFor('the rest', async () => {
        await drain(b, last);
        return last.length >= 40;
      });
      expect(new Set(last.map(({ id }) => id)).size).toBe(40);
      expect(await b.unsentElsewhere()).toBe(0);
    });
  });

  describe('an effect', () => {
    const change = (id: string) => newEffect({ id, kind: 'mail', key: id, fields: {} }, 1);
    const take = async (store: Store): Promise<string[]> =>
      (await store.takeEffects({ kinds: ['mail'], limit: 100, leaseMs: 60_000 })).map(({ id }) => id);

    test('is due, and is nobody else’s while it is tried, whatever the clocks of processes say', async () => {
      const onNotice = (): void => undefined;
      const [behind, ahead] = await Promise.all(
        [-HOUR_MS, HOUR_MS].map((ms) => under.ahead(ms).own({ purpose: `${ms}`, via: 'consume', onNotice })),
      );
      if (behind === undefined || ahead === undefined) throw new Error('there are two');
      opened.push(behind, ahead);
      const oweNow = (store: Store, id: string): Promise<null> =>
        store.transact({}, ({ at }) => {
          const effect = newEffect({ id, kind: 'mail', key: id, fields: {} }, at);
          return { changes: { effects: [effect] }, result: null };
        });
      await oweNow(ahead, 'a');
      expect(await take(ahead)).toEqual(['a']);
      await oweNow(behind, 'b');
      await waitFor('b to be due for the other one', () => ahead.dueInMs(['mail']) === 0);
      expect(await take(ahead)).toEqual(['b']);
      await oweNow(ahead, 'c');
      await waitFor('c to be due for the other one', () => behind.dueInMs(['mail']) === 0);
      expect(await take(behind)).toEqual(['c']);
      await oweNow(behind, 'd');
      expect(await take(behind)).toEqual(['d']);
      for (const store of [ahead, behind]) {
        expect(await take(store)).toEqual([]);
        const dueInMs = store.dueInMs(['mail']);
        expect(dueInMs).toBeGreaterThan(0);
        expect(dueInMs).toBeLessThanOrEqual(60_000);
      }
    });

    test('is taken by one, and is the other one’s at once when that one leaves', async () => {
      const [a, b] = [await own('a'), await own('b')];
      const ids = Array.from({ length: 30 }, (_, at) => `e-${at}`);
      await commit(a, { effects: ids.map(change) });
      const due = (): Promise<unknown> => waitFor('them to be due for b', () => b.dueInMs(['mail']) === 0);
      await due();
      const taken = (await Promise.all([take(a), take(b)])).flat();
      expect(taken.toSorted()).toEqual(ids.toSorted());
      await close(a);
      await waitFor('those of a', async () => {
        taken.push(...(await take(b)));
        return taken.length > ids.length || (await b.effects()).every(({ attempts }) => attempts > 0);
      });
      // Those that b tries itself stay tried.
      expect(taken.filter((id, at) => taken.indexOf(id) < at).length).toBeLessThanOrEqual(30);
    });
  });

  describe('an owner', () => {
    test('that was asleep goes on when it wakes, on what the others have committed meanwhile', async () => {
      const [a, b] = [await own('a'), await own('b')];
      await count(a);
      await under.forget('a');
      expect(await count(b)).toBe(2);
      expect(await count(a)).toBe(3);
    });

    test('that is to be alone is refused beside others, and refuses them', async () => {
      const a = await own('a');
      await expect(own('b', { isAlone: true })).rejects.toSatisfy((error) =>
        isFailure(error, 'folder_in_use'),
      );
      await close(a);
      await own('c', { isAlone: true });
      await expect(own('d')).rejects.toSatisfy((error) => isFailure(error, 'folder_in_use'));
    });

    test('that was asleep while another owned the store alone commits nothing', async () => {
      const failures: Error[] = [];
      const a = await own('a', { onFailure: (failure) => failures.push(failure) });
      await count(a);
      const alone = await waitFor('a not to be in the way', async () => {
        // It wakes at any moment, and writes itself down again.
        await under.forget('a');
        return own('alone', { isAlone: true }).catch(() => null);
      });
      if (alone === null) throw new Error('it is waited for');
      await expect(count(a)).rejects.toSatisfy((error) => isFailure(error, 'folder_in_use'));
      expect(failures).toHaveLength(1);
      expect(await count(alone)).toBe(2);
    });

    test('that was shut out commits nothing, and leaves', async () => {
      const failures: Error[] = [];
      const [a, b] = [await own('a', { onFailure: (failure) => failures.push(failure) }), await own('b')];
      await under.shutOut('a');
      await expect(count(a)).rejects.toSatisfy((error) => isFailure(error, 'folder_in_use'));
      expect(failures).toHaveLength(1);
      expect(await count(b)).toBe(1);
    });
  });

  test('a database that goes and comes is waited for, and each commit counts once', async () => {
    const how = { awayLimitMs: null };
    const both = [await own('a', how), await own('b', how)];
    const ROUNDS = 30;
    let kills = 0;
    const counting = both.map(async (store) => {
      for (let round = 0; round < ROUNDS; round++) {
        // In the middle of some, and not so often that nothing is ever committed.
        const counted = count(store);
        if (round % 5 === 2) {
          kills += 1;
          await under.endSessions();
        }
        await counted;
      }
    });
    await Promise.all(counting);
    const [first] = both;
    expect(first && (await count(first))).toBe(ROUNDS * 2 + 1);
    expect(kills).toBe(12);
  });
}
