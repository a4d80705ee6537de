import type { Effect } from '../../../domain/effects.ts';
import type { Fact, FactLog, SmallTable } from '../../../domain/facts.ts';
import type { Decided } from '../../../domain/orders/decided.ts';
import type { Item, User } from '../../../domain/tables.ts';
import type { Keys, Snapshot, Source, StoredPosition } from '../../../ports/store.ts';
import type { Connection } from '../connection.ts';
import { anyOf } from '../rows/arrays.ts';
import { decidedOf, decidedWhere, type DecisionRow } from '../rows/decisions.ts';
import {
  EFFECT_COLUMNS,
  effectOf,
  ITEM_COLUMNS,
  ITEMS,
  positionOf,
  USER_COLUMNS,
  userOf,
  type EffectRow,
  type PositionRow,
  type UserRow,
} from '../rows/tables.ts';
import type { SmallDraft } from './small-tables.ts';

/*
 * Each by its primary key. Users and items are locked in the order of their keys, before the lock of commits is
 * taken, so that two transactions wait for each other without a deadlock. Everything else is changed and read under
 * that lock only.
 */
const USERS = `SELECT ${USER_COLUMNS} FROM orderctl.users WHERE user_name = ${anyOf('$1')} ORDER BY user_name FOR SHARE`;
/** Locks the product too: unlocked, it would be read as it was before the wait. */
const ITEMS_BY_NAME = `SELECT ${ITEM_COLUMNS} FROM ${ITEMS} WHERE item = ${anyOf('$1')} ORDER BY item FOR UPDATE`;
const ORDERS = decidedWhere(`o.order_id = ${anyOf('$1')}`);
const EFFECTS = `SELECT ${EFFECT_COLUMNS} FROM orderctl.effects WHERE id = ${anyOf('$1')} ORDER BY id FOR UPDATE`;
/** By events_log_by_key. */
const FACTS = `SELECT key, value FROM orderctl.events_log WHERE log = $1 AND key = ${anyOf('$2')} ORDER BY seq, ordinal`;
const POSITIONS = `SELECT p.* FROM orderctl.positions p
  JOIN unnest($1::text[], $2::text[], $3::int[]) AS k (processor, topic, partition) USING (processor, topic, partition)`;

/**
 * The rows that a transaction has locked, with its changes so far: transactions that share a commit are decided on it
 * one after another.
 */
export class Loaded {
  readonly users = new Map<string, User | undefined>();
  readonly items = new Map<string, Item | undefined>();
  /** Names that have no row in the database. */
  readonly newUsers = new Set<string>();
  readonly newItems = new Set<string>();
  readonly orders = new Map<string, Decided | undefined>();
  readonly effects = new Map<string, Effect | undefined>();
  readonly positions = new Map<string, StoredPosition | undefined>();
  /** By log and key. */
  readonly facts = new Map<string, Map<string, Fact[]>>();
  readonly small: SmallDraft;
  readonly #connection: Connection;

  /** @param small is changed together with the rows */
  constructor(connection: Connection, small: SmallDraft) {
    this.#connection = connection;
    this.small = small;
  }

  /** Locks and reads the users and items that are not loaded yet. */
  async lock(keys: Omit<Keys, 'further'>): Promise<void> {
    for (const row of await this.#missing<UserRow>(this.users, keys.users, USERS)) {
      this.users.set(row.user_name, userOf(row));
    }
    for (const row of await this.#missing<Item>(this.items, keys.items, ITEMS_BY_NAME)) {
      this.items.set(row.item, row);
    }
    addAbsent(this.newUsers, this.users, keys.users);
    addAbsent(this.newItems, this.items, keys.items);
  }

  /** Reads missing users and items again: others may have added them before the lock was taken. */
  async readAbsent(): Promise<void> {
    const [users, items] = [[...this.newUsers], [...this.newItems]];
    for (const name of users) this.users.delete(name);
    for (const name of items) this.items.delete(name);
    this.newUsers.clear();
    this.newItems.clear();
    await this.lock({ users, items });
  }

  /** Reads everything else that is not loaded yet. Call it with the lock of commits. */
  async read(keys: Omit<Keys, 'further'>): Promise<void> {
    await this.#readPositions(keys.positions ?? []);
    for (const row of await this.#missing<DecisionRow>(this.orders, keys.orders, ORDERS)) {
      this.orders.set(row.order_id, decidedOf(row));
    }
    await this.readFacts(keys);
    for (const row of await this.#missing<EffectRow>(this.effects, keys.effects, EFFECTS)) {
      this.effects.set(row.id, effectOf(row));
    }
  }

  async readFacts({ facts }: Pick<Keys, 'facts'>): Promise<void> {
    for (const [log, of] of facts ?? []) await this.#readFacts(log.name, of);
  }

  /** The rows of those keys that are not known yet; from here on they are known, if only as missing. */
  async #missing<Row extends object>(
    known: Map<string, unknown>,
    keys: Iterable<string> | undefined,
    statement: string,
  ): Promise<Row[]> {
    const wanted: string[] = [];
    for (const key of keys ?? []) {
      if (known.has(key)) continue;
      known.set(key, undefined);
      wanted.push(key);
    }
    return wanted.length === 0 ? [] : this.#connection.query<Row>(statement, [wanted]);
  }

  async #readFacts(log: string, keys: Iterable<string>): Promise<void> {
    const known = this.facts.get(log) ?? new Map<string, Fact[]>();
    this.facts.set(log, known);
    const wanted = [...new Set(keys)].filter((key) => !known.has(key));
    if (wanted.length === 0) return;
    for (const key of wanted) known.set(key, []);
    const rows = await this.#connection.query<{ key: string; value: Fact }>(FACTS, [log, wanted]);
    for (const { key, value } of rows) known.get(key)?.push(value);
  }

  async #readPositions(sources: Iterable<Source>): Promise<void> {
    const wanted: Source[] = [];
    for (const source of sources) {
      const name = sourceName(source);
      if (this.positions.has(name)) continue;
      this.positions.set(name, undefined);
      wanted.push(source);
    }
    if (wanted.length === 0) return;
    const rows = await this.#connection.query<PositionRow>(POSITIONS, [
      wanted.map(({ processor }) => processor),
      wanted.map(({ topic }) => topic),
      wanted.map(({ partition }) => partition),
    ]);
    for (const row of rows) {
      const position = positionOf(row);
      this.positions.set(sourceName(position), position);
    }
  }

  /** The state that a transaction may read. @throws Error for a key that it did not name: a bug */
  snapshot(of: Pick<Snapshot, 'at' | 'seq' | 'storeId'>): Snapshot {
    const facts = <T extends Fact>(log: FactLog<T>, key: string): readonly T[] =>
      // A copy: the next transaction may add to it.
      [...found(this.facts.get(log.name), key)] as unknown as readonly T[];
    return {
      ...of,
      status: (user) => valueOf(this.users, user)?.status,
      quantity: (item) => valueOf(this.items, item)?.quantity,
      user: (user) => valueOf(this.users, user),
      item: (item) => valueOf(this.items, item),
      decided: (orderId) => valueOf(this.orders, orderId),
      facts,
      small: <T>({ name }: SmallTable<T>, key: string) => this.small.get(name, key) as T | undefined,
      effect: (id) => valueOf(this.effects, id),
      position: (source) => valueOf(this.positions, sourceName(source)),
    };
  }
}

function valueOf<Value>(rows: ReadonlyMap<string, Value | undefined>, key: string): Value | undefined {
  if (!rows.has(key)) throw new Error(`${key} was not among the keys of the transaction`);
  return rows.get(key);
}

function found(rows: ReadonlyMap<string, Fact[]> | undefined, key: string): readonly Fact[] {
  const facts = rows?.get(key);
  if (facts === undefined) throw new Error(`${key} was not among the keys of the transaction`);
  return facts;
}

export function sourceName({ processor, topic, partition }: Source): string {
  return `${processor} ${topic}/${partition}`;
}

/** Adds the names that have no row. A name that got its row in this commit was added before. */
function addAbsent(
  absent: Set<string>,
  rows: ReadonlyMap<string, unknown>,
  names: Iterable<string> | undefined,
): void {
  for (const name of names ?? []) if (rows.get(name) === undefined) absent.add(name);
}
