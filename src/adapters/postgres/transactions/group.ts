import { Failure } from '../../../domain/failure.ts';
import type { OwnOptions } from '../../../ports/owner.ts';
import type { Changes, Keys, Snapshot } from '../../../ports/store.ts';
import type { Connection } from '../connection.ts';
import type { LastingConnection } from '../lasting.ts';
import { EDIT_COLUMNS, loggedEditOf, type EditFrom, type EditRow } from '../rows/edits.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import { apply, eventsOf, keysOf, send, Writes, type Stamp } from './apply.ts';
import { Loaded } from './loaded.ts';
import { enterCommit, NotRegistered, type Entered } from './enter.ts';
import type { SmallTables } from './small-tables.ts';
import { write } from './write.ts';

/** Most transactions that share a commit, and are in memory together. */
const MOST_AT_ONCE = 16;

/** Edits by other processes, applied by the first transaction that follows. By edits_news. */
const TAKE_NEWS = `UPDATE orderctl.edits SET is_news = false WHERE is_news RETURNING ${EDIT_COLUMNS}`;

interface Waiting {
  readonly keys: Keys;
  readonly decide: (snapshot: Snapshot) => Changes;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What other parts of the store receive about a commit. */
export interface Committed {
  readonly writes: Writes;
  readonly loaded: Loaded;
  /** Its last number. */
  readonly seq: number;
}

interface Parts {
  readonly connection: LastingConnection;
  /** Of the process that commits. */
  readonly instanceId: string;
  /** Registers the process again as an owner. */
  readonly register: () => Promise<void>;
  readonly storeId: string;
  readonly from: EditFrom;
  readonly small: SmallTables;
  readonly onEdits: OwnOptions['onEdits'];
  readonly onNotice: (notice: StoreNotice) => void;
  /** Runs at the end of the transaction. */
  readonly before: (committed: Committed, connection: Connection) => Promise<void>;
  readonly after: (committed: Committed) => void;
  /** Runs work on the connection, one after another. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A transaction contradicts the state: it is left out, and those that wait with it are decided again. */
class Contradiction extends Error {
  readonly of: Waiting;

  constructor(of: Waiting, cause: unknown) {
    super('a transaction contradicts the state', { cause });
    this.of = of;
  }
}

/**
 * Group commit: waiting transactions are decided one after another, each on the state that the one before left, and
 * share one transaction of the database; all resolve after it.
 */
export class GroupCommit {
  readonly #parts: Parts;
  #waiting: Waiting[] = [];
  /** The last number that this process has committed. */
  #last = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  transact<R>(keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R> {
    return new Promise((resolve, reject) => {
      let result: R;
      this.#waiting.push({
        keys,
        decide: (snapshot) => {
          const decided = decide(snapshot);
          result = decided.result;
          return decided.changes;
        },
        resolve: () => resolve(result),
        reject,
      });
      if (this.#waiting.length === 1) this.#begin();
    });
  }

  #begin(): void {
    let group: Waiting[] = [];
    const done = this.#parts.inTurn(async () => {
      group = this.#waiting.splice(0, MOST_AT_ONCE);
      if (this.#waiting.length > 0) this.#begin();
      await this.#commit(group);
    });
    // A turn that never started has removed no waiting transaction.
    done.catch((error: unknown) => {
      for (const { reject } of [...group, ...this.#waiting.splice(0)]) reject(error);
    });
  }

  /** Rejects the transactions that throw on their own, and throws what concerns all. */
  async #commit(group: Waiting[]): Promise<void> {
    let left = group;
    while (left.length > 0) {
      const thrown = new Map<Waiting, unknown>();
      try {
        const committed = await this.#parts.connection.transaction((connection) =>
          this.#decide(connection, left, thrown),
        );
        this.#parts.small.keep(committed.loaded.small, committed.seq);
        this.#last = committed.seq;
        for (const edit of committed.writes.news) this.#parts.onNotice({ kind: 'edit_taken_in', edit });
        for (const one of left) {
          if (thrown.has(one)) one.reject(thrown.get(one));
          else one.resolve();
        }
        this.#parts.after(committed);
        return;
      } catch (error) {
        if (error instanceof NotRegistered) {
          await this.#parts.register();
          continue;
        }
        if (!(error instanceof Contradiction)) throw error;
        error.of.reject(error.cause);
        left = left.filter((one) => one !== error.of);
      }
    }
  }

  async #decide(
    connection: Connection,
    group: readonly Waiting[],
    thrown: Map<Waiting, unknown>,
  ): Promise<Committed> {
    const { storeId, from, onEdits, instanceId, small } = this.#parts;
    thrown.clear();
    const writes = new Writes();
    const loaded = new Loaded(connection, small.draft());
    const keys = union(group.map((one) => one.keys));
    const further = (): Keys[] =>
      group.map((one) => one.keys.further?.(loaded.snapshot({ at: 0, storeId, seq: 0 })) ?? {});
    await loaded.lock(keys);
    if (group.some((one) => one.keys.further !== undefined)) {
      await loaded.readFacts(keys);
      await loaded.lock(union(further()));
      loaded.facts.clear();
    }
    const entered = await enterCommit(connection, instanceId, group.length);
    this.#refuseEarlier(connection.name, entered);
    await small.follow(connection, entered.smallSeq);
    await loaded.readAbsent();
    await loaded.read(keys);
    await loaded.lock(union(further()));
    if (entered.hasNews) await this.#takeNews(connection, entered.at, { loaded, writes });
    for (const [index, one] of group.entries()) {
      const seq = entered.seqs[index] ?? 0;
      const stamp: Stamp = { at: entered.at, storeId, ...from, seq, isNews: false };
      // Earlier transactions may have added facts that require more keys.
      if (index > 0 && one.keys.further !== undefined)
        await loaded.lock(one.keys.further(loaded.snapshot(stamp)));
      let changes: Changes;
      try {
        changes = one.decide(loaded.snapshot(stamp));
      } catch (error) {
        thrown.set(one, error);
        continue;
      }
      const touched = keysOf(changes);
      await loaded.lock(touched);
      await loaded.read(touched);
      try {
        apply(changes, stamp, { loaded, writes, onEdits });
      } catch (error) {
        throw new Contradiction(one, error);
      }
    }
    return this.#write(connection, entered, { loaded, writes });
  }

  /**
   * If the database was restored, or a standby that lacks the last commits took its place, the memory of this process
   * contains commits that no longer exist. A standby draws its first number above the ones that it lacks, since the
   * server reserves 32 at a time.
   *
   * @throws Failure corrupt_state
   */
  #refuseEarlier(name: string, { seqs, lastSeq, smallSeq }: Entered): void {
    const [first = 0] = seqs;
    const isThere = (lastSeq ?? 0) >= this.#last;
    if (isThere && first > this.#last && smallSeq >= this.#parts.small.seq) return;
    throw new Failure(
      'corrupt_state',
      `${name} was restored to an earlier state while this process was using it`,
      {
        fix: 'start it again: orders read since then are read again from Kafka',
      },
    );
  }

  async #write(
    connection: Connection,
    { seqs }: Entered,
    { loaded, writes }: Omit<Committed, 'seq'>,
  ): Promise<Committed> {
    const committed = { writes, loaded, seq: seqs.at(-1) ?? 0 };
    await write(connection, committed);
    await this.#parts.before(committed, connection);
    return committed;
  }

  /**
   * Writes the consequences of edits by other processes. This comes after the rows are locked, so that decisions on
   * them come after all edits that the rows contain. No other process changes what is read here, so no row is waited
   * for while this one has the lock of commits.
   */
  async #takeNews(
    connection: Connection,
    at: number,
    { loaded, writes }: Omit<Committed, 'seq'>,
  ): Promise<void> {
    const { onEdits, storeId } = this.#parts;
    const rows = await connection.query<EditRow>(TAKE_NEWS);
    rows.sort((a, b) => a.seq - b.seq || a.ordinal - b.ordinal);
    for (const row of rows) {
      const edit = loggedEditOf(row);
      writes.news.push(edit);
      const state = loaded.snapshot({ at, storeId, seq: row.seq });
      const events = eventsOf([edit], before(edit, state), onEdits);
      for (const change of events.small ?? []) loaded.small.change(change);
      send(events.outgoing ?? [], writes);
    }
  }
}

/** The state before an edit that it already contains. */
function before(edit: ReturnType<typeof loggedEditOf>, state: Snapshot): Snapshot {
  if (edit.kind === 'user') {
    const row = edit.before ?? undefined;
    return {
      ...state,
      user: (user) => (user === edit.user ? row : state.user(user)),
      status: (user) => (user === edit.user ? row?.status : state.status(user)),
    };
  }
  if (edit.kind !== 'item') return state;
  const row = edit.before ?? undefined;
  return {
    ...state,
    item: (item) => (item === edit.item ? row : state.item(item)),
    quantity: (item) => (item === edit.item ? row?.quantity : state.quantity(item)),
  };
}

function union(all: readonly Keys[]): Omit<Keys, 'further'> {
  const [first = {}] = all;
  // Usual with one processor: its keys are many, and need no copy.
  if (all.length <= 1) return first;
  const facts = new Map<string, [log: never, keys: Set<string>]>();
  for (const keys of all) {
    for (const [log, of] of keys.facts ?? []) {
      const [, known] = facts.get(log.name) ?? [log, new Set<string>()];
      for (const key of of) known.add(key);
      facts.set(log.name, [log as never, known]);
    }
  }
  return {
    positions: all.flatMap(({ positions }) => [...(positions ?? [])]),
    orders: all.flatMap(({ orders }) => [...(orders ?? [])]),
    facts: new Map(facts.values()),
    effects: all.flatMap(({ effects }) => [...(effects ?? [])]),
    users: all.flatMap(({ users }) => [...(users ?? [])]),
    items: all.flatMap(({ items }) => [...(items ?? [])]),
  };
}
