import type { Clock } from '../../ports/clock.ts';
import { CommitInDoubt, Connection, type Target } from './connection.ts';
import { isAway, isEnded, isLocked, isOfAnotherServer } from './failures.ts';
import { isStandby } from './url/hosts.ts';

/** Between two attempts to reach a database that is away, or to run what the server ended. */
export const PAUSE_MS = 500;
/** Between two looks at a transaction that its old session may still be committing. */
const LOOK_MS = 100;
/** A lock is waited for so long at least: the server ends a process that has it and is paused before that. */
export const LOCKED_MS = 20_000;
/** What the server ends is run again for so long: what goes on is a limit of the server, which does not pass. */
const ENDED_MS = 20_000;
/** As often it is by chance, and there is nothing to report. */
const ENDED_BY_CHANCE = 3;

export interface LastingParts {
  readonly target: Target;
  readonly clock: Clock;
  /** The database is away, by its last failure; null: it is back. */
  readonly onAway: (failure: Error | null) => void;
  /** How long it may be away; null: for ever. */
  readonly limitMs: number | null;
  /** When it aborts nothing waits for the database any more. */
  readonly signal: AbortSignal;
}

/** Where statements are run. */
export type Queries = Pick<Connection, 'query'>;

/**
 * A session that is opened again when it is lost: a restart of the database, a failover, an administrator. A transaction
 * that was lost with it is run again, unless it turns out to have been committed.
 */
export class LastingConnection implements Queries, AsyncDisposable {
  readonly #parts: LastingParts;
  #connection: Connection;
  #opening: Promise<void> | undefined;
  /** As was reported. */
  #isAway = false;
  /** What is to be done on every session, when it is opened. */
  readonly #onOpen: ((connection: Connection) => Promise<void>)[] = [];

  private constructor(parts: LastingParts, connection: Connection) {
    this.#parts = parts;
    this.#connection = connection;
  }

  /** @throws Failure store_unreachable, store_refused: at the first time nothing is waited for */
  static async open(parts: LastingParts): Promise<LastingConnection> {
    return new LastingConnection(parts, await Connection.open(parts.target));
  }

  /** As it is now; it may be lost at any time. */
  get connection(): Connection {
    return this.#connection;
  }

  query<R extends object>(statement: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.#lasting((connection) => connection.query<R>(statement, values));
  }

  /** As Connection.transaction; `work` must do the same when it is run again. */
  transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#lasting((connection) => connection.transaction(() => work(connection)));
  }

  /** As Connection.listen, on every session. */
  async listen(channel: string, hear: (payload: string) => void): Promise<void> {
    const listen = (connection: Connection): Promise<void> => connection.listen(channel, hear);
    this.#onOpen.push(listen);
    await this.#lasting(listen);
  }

  async #lasting<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    let since: number | null = null;
    let endedSince: number | null = null;
    let ended = 0;
    let wasAway = false;
    for (;;) {
      const connection = this.#connection;
      try {
        const result = await work(connection);
        this.#back();
        return result;
      } catch (error) {
        since ??= this.#parts.clock.elapsed();
        if (error instanceof CommitInDoubt) {
          await this.#reopen(connection, since);
          if (await this.#wasCommitted(error)) return error.result as T;
        } else if (isLocked(error)) {
          const { limitMs } = this.#parts;
          await this.#pause(error, since, limitMs === null ? null : Math.max(limitMs, LOCKED_MS));
        } else if (isEnded(error) && !connection.isLost) {
          endedSince ??= this.#parts.clock.elapsed();
          ended += 1;
          if (ended > ENDED_BY_CHANCE) await this.#pause(error, endedSince, ENDED_MS);
        } else if (isAway(error)) {
          // A standby in its place refuses what is asked of it, and keeps the session. PgBouncer opens sessions while its
          // server is away, and ends them at the first statement.
          if (!connection.isLost || wasAway) await this.#pause(error, since);
          wasAway = true;
          await this.#reopen(connection, since);
        } else throw error;
      }
    }
  }

  #back(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#parts.onAway(null);
  }

  /** @throws what it was, once nothing is to be waited for */
  async #pause(error: unknown, since: number, limitMs = this.#parts.limitMs): Promise<void> {
    const { clock, signal, onAway } = this.#parts;
    const isLate = limitMs !== null && clock.elapsed() - since >= limitMs;
    if (signal.aborted || isLate) throw error;
    this.#isAway = true;
    onAway(error instanceof Error ? error : new Error(String(error)));
    await clock.sleep(PAUSE_MS, signal);
  }

  /** @param lost the session that does not work any more; without effect when there is another one since */
  async #reopen(lost: Connection, since: number): Promise<void> {
    if (lost !== this.#connection) return;
    this.#opening ??= this.#openAgain(since).finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  async #openAgain(since: number): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
    for (;;) {
      try {
        this.#connection = await this.#openOnce(this.#parts.target);
        return;
      } catch (error) {
        if (!isAway(error)) throw error;
        await this.#pause(error, since);
      }
    }
  }

  async #openOnce(target: Target): Promise<Connection> {
    const connection = await Connection.open(target);
    try {
      for (const prepare of this.#onOpen) await prepare(connection);
      return connection;
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Once it is known: the old session may take a moment to notice that nobody listens. */
  async #wasCommitted({ trace, cause }: CommitInDoubt): Promise<boolean> {
    if (trace === null) return false;
    for (;;) {
      const status = await this.#statusOf(trace.id);
      if (status === 'committed') return trace.isThere(this);
      if (status !== 'in progress') return false;
      if (this.#parts.signal.aborted) throw cause;
      await this.#parts.clock.sleep(LOOK_MS, this.#parts.signal);
    }
  }

  /** @returns as pg_xact_status; null: this server has never given that number */
  async #statusOf(transaction: string): Promise<string | null> {
    try {
      return await this.#lasting(async (connection) => {
        const [row] = await connection.query<{ status: string | null }>(
          // A standby has yet to replay what it received. Of one that is too old to be known the rest tells.
          `SELECT CASE WHEN NOT pg_is_in_recovery() THEN coalesce(pg_xact_status($1::text::xid8), 'committed') END AS status`,
          [transaction],
        );
        if (row?.status == null) throw isStandby(connection.name);
        return row.status;
      });
    } catch (error) {
      if (isOfAnotherServer(error)) return null;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await this.#connection[Symbol.asyncDispose]();
  }
}
