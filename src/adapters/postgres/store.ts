import { randomUUID } from 'node:crypto';
import type { EffectKind, Effect } from '../../domain/effects.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OwnOptions } from '../../ports/owner.ts';
import type { Processes } from '../../ports/processes.ts';
import type {
  Changes,
  Destination,
  Keys,
  Outgoing,
  OutgoingRecord,
  Snapshot,
  Store,
} from '../../ports/store.ts';
import type { Target } from './connection.ts';
import { OwedEffects, type Due } from './effects.ts';
import { LastingConnection, type Queries } from './lasting.ts';
import { migrate } from './migrate.ts';
import { Outbox } from './outbox.ts';
import { Beat } from './owner/beat.ts';
import { LIVING, register, remove, selfAs, type Instance } from './owner/instances.ts';
import { ASK, EDITED, OWED } from './owner/requests.ts';
import { Shards } from './owner/shards.ts';
import { PostgresReads } from './reads.ts';
import { GroupCommit, type Committed } from './transactions/group.ts';
import { SmallTables } from './transactions/small-tables.ts';
import { Turns } from './turns.ts';

/** Options for opening a store in PostgreSQL. */
export interface PostgresOptions extends Target {
  readonly clock: Clock;
  /** The author of edits, for the log of edits. */
  readonly user: string;
  readonly processes: Processes;
  /** Owns even a sealed store, in order to copy it. */
  readonly evenSealed?: boolean;
}

interface Parts {
  readonly options: PostgresOptions & OwnOptions;
  /** Commits, and does everything else that runs in turns. */
  readonly session: LastingConnection;
  /** Reads, renews leases, and listens to what others do. */
  readonly reader: LastingConnection;
  readonly self: Instance;
  readonly storeId: string;
  readonly small: SmallTables;
  /** Aborts when the store is closed. */
  readonly closing: AbortController;
}

/**
 * The store as seen by one of the processes that own it. What it knows about the others is at most a second old; what
 * it commits is checked against what they have committed.
 */
export class PostgresStore extends PostgresReads implements Store {
  readonly isShared = true;
  readonly storeId: string;
  protected readonly connection: Queries;
  protected readonly target: Target;
  readonly #parts: Parts;
  readonly #turns: Turns;
  readonly #shards: Shards;
  readonly #outbox: Outbox;
  readonly #effects: OwedEffects;
  readonly #group: GroupCommit;
  readonly #beat: Beat;
  #isCheckQueued = false;

  private constructor(parts: Parts) {
    const { options, session, reader, self, storeId } = parts;
    super(options.onNotice);
    this.target = options;
    this.#parts = parts;
    this.connection = reader;
    this.storeId = storeId;
    this.#turns = new Turns(options.url, options.onFailure);
    this.#shards = new Shards(self.id);
    this.#outbox = new Outbox(session, this.#turns, this.#shards, () => this.#checkSoon());
    this.#effects = new OwedEffects(session, self.id);
    this.#group = this.#newGroup(parts);
    this.#beat = new Beat({
      connection: reader,
      self,
      shards: this.#shards,
      how: options,
      processes: options.processes,
      clock: options.clock,
      onOthers: () => this.#checkSoon(),
      onNews: () => this.#takeNews(),
      onFailure: (error) => void this.#turns.fail(error),
    });
  }

  #newGroup({ options, session, self, storeId, small }: Parts): GroupCommit {
    const { user, processes, ...how } = options;
    let due: Due | null = null;
    return new GroupCommit({
      connection: session,
      storeId,
      small,
      instanceId: self.id,
      register: () => session.transaction((connection) => register(connection, self, processes)),
      from: { by: user, via: how.via },
      onEdits: how.onEdits,
      onNotice: how.onNotice,
      before: async ({ writes }, connection) => {
        due = writes.effects.size > 0 ? await this.#effects.look(connection) : null;
      },
      after: (committed) => {
        if (due !== null) this.#effects.know(due);
        this.#announce(committed);
      },
      inTurn: (work) => this.#turns.run(work),
    });
  }

  /** Has the committed messages sent: by this process, or by those that have their shards. */
  #announce({ writes }: Committed): void {
    if (this.#outbox.add(writes.outgoing, writes.shards)) {
      // Not in the transaction, in which it would make all commits of the database queue; the next check finds what
      // is missed.
      void this.#parts.reader.query(`NOTIFY ${OWED}`).catch(() => undefined);
    }
    if (writes.leavesWork) this.#parts.options.onOwed?.();
  }

  /** @throws Failure folder_in_use, store_unreachable, store_refused, store_too_new */
  static async open(options: PostgresOptions & OwnOptions): Promise<PostgresStore> {
    const closing = new AbortController();
    const { clock, signal, awayLimitMs = 0 } = options;
    const away = new Set<string>();
    const open = (name: string): Promise<LastingConnection> =>
      LastingConnection.open({
        target: options,
        clock,
        limitMs: awayLimitMs,
        onAway: (failure) => {
          const wasAway = away.size > 0;
          if (failure === null) away.delete(name);
          else away.add(name);
          if (failure !== null || (wasAway && away.size === 0)) options.onAway?.(failure);
        },
        signal: AbortSignal.any([closing.signal, ...(signal === undefined ? [] : [signal])]),
      });
    const opened: LastingConnection[] = [];
    try {
      const session = await open('session');
      opened.push(session);
      await migrate(session.connection, randomUUID, { evenSealed: options.evenSealed === true });
      const reader = await open('reader');
      opened.push(reader);
      return await PostgresStore.#begin({ options, session, reader, closing });
    } catch (error) {
      for (const one of opened) await one[Symbol.asyncDispose]();
      throw error;
    }
  }

  static async #begin(parts: Omit<Parts, 'self' | 'storeId' | 'small'>): Promise<PostgresStore> {
    const { options, session } = parts;
    const { clock, processes, purpose } = options;
    const self = selfAs(
      {
        id: randomUUID(),
        purpose,
        started_at: clock.now(),
        is_consumer: options.status !== undefined,
        is_alone: options.isAlone === true,
        announces: options.onEdits !== undefined,
      },
      processes,
    );
    const storeId = await session.transaction(async (connection) => {
      await register(connection, self, processes);
      if (options.newId === true)
        await connection.query('UPDATE orderctl.shop SET store_id = $1', [randomUUID()]);
      // Edits from a time when no process owned the store are found by the comparison that an owner makes at its
      // start.
      await connection.query(
        `UPDATE orderctl.edits SET is_news = false
         WHERE is_news AND (SELECT count(*) FROM orderctl.instances WHERE ${LIVING}) = 1`,
      );
      const [shop] = await connection.query<{ store_id: string }>('SELECT store_id FROM orderctl.shop');
      if (shop === undefined) throw new Error('orderctl.shop has no row');
      return shop.store_id;
    });
    const small = await SmallTables.load(session);
    const store = new PostgresStore({ ...parts, self, storeId, small });
    await store.#start();
    return store;
  }

  async #start(): Promise<void> {
    const { session, reader } = this.#parts;
    await this.#shards.start(session);
    await this.#outbox.recount(session, Number.MAX_SAFE_INTEGER);
    this.#effects.know(await this.#effects.look(session));
    await reader.listen(ASK, () => this.#beat.now());
    await reader.listen(OWED, () => this.#checkSoon());
    await reader.listen(EDITED, () => this.#takeNews());
    this.#beat.start();
  }

  /** In a turn, which may have to wait long for others. A failure has already ended the store. */
  #checkSoon(): void {
    if (this.#isCheckQueued) return;
    this.#isCheckQueued = true;
    void this.#turns
      .run(() => {
        this.#isCheckQueued = false;
        return this.#check();
      })
      .catch(() => undefined);
  }

  /** Checks what others have added and taken. */
  async #check(): Promise<void> {
    const { session, options } = this.#parts;
    await this.#outbox.recount(session);
    const isEarlier = this.#effects.know(await this.#effects.look(session));
    if (isEarlier || this.#outbox.unsent().size > 0) options.onOwed?.();
  }

  /** Announces the consequences of an edit soon, even if no order arrives. A failure has already ended the store. */
  #takeNews(): void {
    if (this.#parts.options.onEdits === undefined) return;
    void this.transact({}, () => ({ changes: {}, result: null })).catch(() => undefined);
  }

  transact<R>(keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R> {
    return this.#group.transact(keys, decide);
  }

  drain(
    destination: Destination,
    send: (unsent: readonly Outgoing[]) => Promise<readonly OutgoingRecord[]>,
  ): Promise<number> {
    return this.#outbox.drain(destination, send);
  }

  unsentElsewhere(): Promise<number> {
    return this.#outbox.unsentElsewhere();
  }

  unsent(): ReadonlyMap<Destination, number> {
    return this.#outbox.unsent();
  }

  takeEffects(options: Parameters<Store['takeEffects']>[0]): Promise<readonly Effect[]> {
    return this.#turns.run(() => this.#effects.take(options));
  }

  dueInMs(kinds: readonly EffectKind[]): number | null {
    return this.#effects.dueInMs(kinds);
  }

  /** In the database, where the state is. */
  async keepFile(name: string, text: string): Promise<string> {
    await this.#parts.reader.query(
      `INSERT INTO orderctl.kept_files (name, content) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET content = EXCLUDED.content`,
      [name, text],
    );
    return `orderctl.kept_files/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { session, reader, self, closing } = this.#parts;
    await this.#outbox.settled();
    await this.#turns.end();
    // From here on, nothing waits for a database that is away.
    closing.abort();
    await this.#beat.end();
    await remove(session, [self.id]).catch(() => undefined);
    await reader[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
  }
}
