import { Failure } from '../../../domain/failure.ts';
import type { Edit } from '../../../domain/edit.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Processes } from '../../../ports/processes.ts';
import type { StoreRest, StoreTarget } from '../../../ports/whole/store-copy.ts';
import type { HistoryLine } from '../../../ports/store.ts';
import { Connection, type Target } from '../connection.ts';
import { migrate } from '../migrate.ts';
import { keepUndelivered } from '../outbox.ts';
import type { PostgresStore } from '../store.ts';
import { readList, replaceList } from '../rows/lists.ts';
import { Writes } from '../transactions/apply.ts';
import { Loaded, sourceName } from '../transactions/loaded.ts';
import { SmallTables } from '../transactions/small-tables.ts';
import { write } from '../transactions/write.ts';
import { lastOf } from '../view.ts';
import { readSeal } from './seal.ts';
import { ownAlone } from './source.ts';

/** Unsent messages in memory at a time. */
const OUTGOING_AT_ONCE = 2_000;
const LOGS = ['orders', 'order_lines', 'stock_movements', 'edits', 'events_log'];
const REST = ['users', 'products', 'positions', 'small_tables', 'effects', 'outbox', 'undelivered'];

/** A database that is filled from another store: each of its transactions writes several of the other's. */
export class PostgresTarget implements StoreTarget {
  readonly after: number;
  readonly #connection: Connection;
  readonly #owner: PostgresStore;
  /** How many lines without a number were added, by log. */
  readonly #unnumbered = { edit: 0, decision: 0, movement: 0, fact: 0 };

  private constructor(
    { connection, owner }: { connection: Connection; owner: PostgresStore },
    after: number,
  ) {
    this.#connection = connection;
    this.#owner = owner;
    this.after = after;
  }

  /** @throws Failure already_exists, folder_in_use */
  static async open(
    target: Target,
    { storeId, from }: { storeId: string; from: string },
    parts: { readonly clock: Clock; readonly processes: Processes },
  ): Promise<PostgresTarget> {
    const connection = await Connection.open(target);
    let owner: PostgresStore | undefined;
    try {
      await migrate(connection, () => storeId, { evenSealed: true });
      owner = await ownAlone(target, parts);
      const seal = await readSeal(connection);
      const last = await lastOf(connection);
      const isBegun = seal?.why === 'incomplete' && last.storeId === storeId;
      if (!isBegun && (seal !== null || last.seq > 0)) {
        throw new Failure('already_exists', `${target.url} already has a store`, {
          fix: 'use another database, or DROP SCHEMA orderctl CASCADE there',
        });
      }
      const text = JSON.stringify({ why: 'incomplete', store: from });
      await connection.query('UPDATE orderctl.shop SET store_id = $1, sealed = $2::json', [storeId, text]);
      // For lines without a number, it cannot be known how many were copied.
      if (last.seq === 0) for (const table of LOGS) await connection.query(`DELETE FROM orderctl.${table}`);
      return new PostgresTarget({ connection, owner }, last.seq);
    } catch (error) {
      await owner?.[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  async add(lines: readonly HistoryLine[]): Promise<void> {
    const writes = new Writes();
    let ordinals = { edit: 0, decision: 0, movement: 0, fact: 0 };
    let before: number | null = null;
    for (const line of lines) {
      const seq = line.seq ?? 0;
      if (seq !== before) ordinals = { edit: 0, decision: 0, movement: 0, fact: 0 };
      before = seq;
      const ordinal = seq === 0 ? this.#unnumbered[line.kind]++ : ordinals[line.kind]++;
      addLine(writes, line, { seq, ordinal });
    }
    const loaded = new Loaded(this.#connection, new SmallTables().draft());
    await this.#connection.transaction(() => write(this.#connection, { loaded, writes, seq: 0 }));
  }

  async finish(rest: StoreRest): Promise<void> {
    const loaded = new Loaded(this.#connection, new SmallTables().draft());
    const writes = new Writes();
    for (const row of rest.users) add(row.user, row, loaded.users, loaded.newUsers, writes.users);
    for (const row of rest.items) add(row.item, row, loaded.items, loaded.newItems, writes.items);
    for (const position of rest.positions) writes.positions.set(sourceName(position), position);
    for (const [name, rows] of rest.small)
      for (const [key, value] of rows) loaded.small.change({ table: { name }, key, value });
    for (const effect of rest.effects) {
      loaded.effects.set(effect.id, effect);
      writes.effects.add(effect.id);
    }
    await this.#connection.transaction(async () => {
      for (const table of REST) await this.#connection.query(`DELETE FROM orderctl.${table}`);
      await write(this.#connection, { loaded, writes, seq: 0 });
      for await (const record of rest.undelivered) await keepUndelivered(this.#connection, record);
      for (const list of ['suppliers', 'reports'] as const)
        await replaceList(this.#connection, list, await readList(this.#connection, list), rest.lists[list]);
      for await (const some of pieces(rest.unsent)) {
        const sent = new Writes();
        sent.outgoing.push(...some);
        const none = new Loaded(this.#connection, new SmallTables().draft());
        await write(this.#connection, { loaded: none, writes: sent, seq: 0 });
      }
      const { seq } = await lastOf(this.#connection);
      await this.#connection.query(`SELECT setval('orderctl.commit_seq', greatest($1, 1))`, [seq]);
    });
  }

  async open(): Promise<void> {
    await this.#connection.query('UPDATE orderctl.shop SET sealed = NULL');
    await this.#connection.query('ANALYZE');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owner[Symbol.asyncDispose]();
    await this.#connection[Symbol.asyncDispose]();
  }
}

function add<Row>(name: string, row: Row, rows: Map<string, Row | undefined>, ...names: Set<string>[]): void {
  rows.set(name, row);
  for (const some of names) some.add(name);
}

function addLine(
  writes: Writes,
  line: HistoryLine,
  { seq, ordinal }: { seq: number; ordinal: number },
): void {
  switch (line.kind) {
    case 'edit': {
      const { at, by, via, why, undoes, ...edit } = line.edit;
      // The reason of a dead letter belongs to the edit itself.
      const logged = (line.edit.kind === 'dead_letter' ? { ...edit, why } : edit) as Edit;
      writes.edits.push({ seq, ordinal, at, by, via, why, undoes, edit: logged, isNews: false });
      return;
    }
    case 'decision':
      writes.decisions.push(line.decided);
      writes.decisionSeqs.push(seq);
      writes.decisionOrdinals.push(ordinal);
      return;
    case 'movement':
      writes.movements.push({ ...line.movement, seq, ordinal });
      return;
    case 'fact': {
      const key = String(line.fact[line.log.key]);
      writes.facts.push({ seq, ordinal, log: line.log.name, key, value: JSON.stringify(line.fact) });
    }
  }
}

async function* pieces<T>(all: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T[]> {
  let some: T[] = [];
  for await (const one of all) {
    some.push(one);
    if (some.length < OUTGOING_AT_ONCE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
