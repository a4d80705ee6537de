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
import { Connection, type Target } from './connection.ts';
import { OwedEffects } from './effects.ts';
import { migrate } from './migrate.ts';
import { Outbox } from './outbox.ts';
import { takeOwnership } from './owner/lock.ts';
import { answerRequests, EDITED } from './owner/requests.ts';
import { PostgresReads } from './reads.ts';
import { GroupCommit } from './transactions/group.ts';
import { SmallTables } from './transactions/small-tables.ts';
import { Turns } from './turns.ts';

/** What a store in PostgreSQL is opened with. */
export interface PostgresOptions extends Target {
  readonly clock: Clock;
  /** Who edits, for the log of edits. */
  readonly user: string;
  readonly processes: Processes;
}

interface Sessions {
  /** Owns the store, and commits. */
  readonly owner: Connection;
  /** Reads, and hears what others ask. */
  readonly reader: Connection;
}

interface Known {
  readonly storeId: string;
  readonly small: SmallTables;
  readonly outbox: Outbox;
  readonly effects: OwedEffects;
}

/**
 * The store as its owner has it. Everything that changes state runs on the one session that holds the lock of the owner:
 * when that is gone another process may own the store, and nothing more of this one is committed.
 */
export class PostgresStore extends PostgresReads implements Store {
  readonly storeId: string;
  protected readonly connection: Connection;
  readonly #sessions: Sessions;
  readonly #turns: Turns;
  readonly #known: Known;
  readonly #group: GroupCommit;
  readonly #clock: Clock;

  private constructor(
    sessions: Sessions,
    turns: Turns,
    known: Known,
    { clock, user, ...how }: PostgresOptions & OwnOptions,
  ) {
    super();
    this.#sessions = sessions;
    this.#turns = turns;
    this.#known = known;
    this.#clock = clock;
    this.connection = sessions.reader;
    this.storeId = known.storeId;
    const { outbox, effects, small } = known;
    let due: ReadonlyMap<EffectKind, number> | null = null;
    this.#group = new GroupCommit({
      ...{ connection: sessions.owner, storeId: known.storeId, clock, small },
      from: { by: user, via: how.via },
      onEdits: how.onEdits,
      onNotice: how.onNotice,
      before: async ({ writes }) => {
        due = writes.effects.size > 0 ? await effects.look() : null;
      },
      after: ({ writes }) => {
        if (due !== null) effects.know(due);
        outbox.add(writes.outgoing);
        if (writes.leavesWork) how.onOwed?.();
      },
      inTurn: (work) => turns.run(work),
    });
  }

  /** @throws Failure folder_in_use, store_unreachable, store_refused, store_too_new */
  static async open(options: PostgresOptions & OwnOptions): Promise<PostgresStore> {
    const owner = await Connection.open(options);
    let reader: Connection | undefined;
    try {
      await migrate(owner, randomUUID);
      reader = await Connection.open(options);
      const sessions = { owner, reader };
      return await openStore(
        owner,
        options,
        (turns, known) => new PostgresStore(sessions, turns, known, options),
      );
    } catch (error) {
      await reader?.[Symbol.asyncDispose]();
      await owner[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Hears what others do, from here on. */
  async listen(backend: number, how: OwnOptions): Promise<void> {
    const { owner, reader } = this.#sessions;
    for (const session of [owner, reader]) session.onLost((error) => void this.#turns.fail(error));
    await answerRequests(reader, backend, how);
    if (how.onEdits === undefined) return;
    await reader.listen(EDITED, () => {
      // What follows from an edit is made known soon, though no order comes. A failure has ended the store already.
      void this.transact({}, () => ({ changes: {}, result: null })).catch(() => undefined);
    });
  }

  transact<R>(keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R> {
    return this.#group.transact(keys, decide);
  }

  drain(
    destination: Destination,
    send: (unsent: readonly Outgoing[]) => Promise<readonly OutgoingRecord[]>,
  ): Promise<number> {
    return this.#known.outbox.drain(destination, send);
  }

  unsent(): ReadonlyMap<Destination, number> {
    return this.#known.outbox.unsent();
  }

  takeEffects(options: Parameters<Store['takeEffects']>[0]): Promise<readonly Effect[]> {
    return this.#turns.run(() => this.#known.effects.take(options, this.#clock.now()));
  }

  nextDue(kinds: readonly EffectKind[]): number | null {
    return this.#known.effects.nextDue(kinds);
  }

  /** In the database: it is where the state is. */
  async keepFile(name: string, text: string): Promise<string> {
    await this.#turns.run(() =>
      this.#sessions.owner.query(
        `INSERT INTO orderctl.kept_files (name, content) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET content = EXCLUDED.content`,
        [name, text],
      ),
    );
    return `orderctl.kept_files/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#known.outbox.settled();
    await this.#turns.end();
    const { owner, reader } = this.#sessions;
    await owner
      .query('DELETE FROM orderctl.instances WHERE backend = pg_backend_pid()')
      .catch(() => undefined);
    await reader[Symbol.asyncDispose]();
    await owner[Symbol.asyncDispose]();
  }
}

async function openStore(
  owner: Connection,
  options: PostgresOptions & OwnOptions,
  make: (turns: Turns, known: Known) => PostgresStore,
): Promise<PostgresStore> {
  const { clock, processes, purpose } = options;
  const as = { purpose, started_at: clock.now(), is_consumer: options.status !== undefined };
  await takeOwnership(owner, as, { processes, sleep: (ms) => clock.sleep(ms) });
  if (options.newId === true) await owner.query('UPDATE orderctl.shop SET store_id = $1', [randomUUID()]);
  // What was edited while nobody owned it is found by what the owner compares at its start.
  await owner.query('UPDATE orderctl.edits SET is_news = false WHERE is_news');
  const turns = new Turns(owner.name, options.onFailure);
  const [shop] = await owner.query<{ storeId: string; backend: number }>(
    'SELECT store_id AS "storeId", pg_backend_pid() AS backend FROM orderctl.shop',
  );
  if (shop === undefined) throw new Error('orderctl.shop has no row');
  const known: Known = {
    storeId: shop.storeId,
    small: await SmallTables.load(owner),
    outbox: await Outbox.open(owner, turns),
    effects: new OwedEffects(owner),
  };
  await known.effects.start();
  const store = make(turns, known);
  await store.listen(shop.backend, options);
  return store;
}
