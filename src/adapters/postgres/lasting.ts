import type { Clock } from '../../ports/clock.ts';
import { CommitInDoubt, Connection, type Target } from './connection.ts';
import { isAway, isEnded, isLocked, isOfAnotherServer } from './failures.ts';
import { isStandby } from './url/hosts.ts';

/** Between two attempts to reach a database that is away, or to run again what the server ended. */
export const PAUSE_MS = 500;
/** Between two checks of a transaction that its old session may still be committing. */
const CHECK_MS = 100;
/** Least time to wait for a lock: by then the server has ended a paused process that holds it. */
export const LOCKED_MS = 20_000;
/** How long to run again what the server ends: after that, it is a limit of the server, which does not pass. */
const ENDED_MS = 20_000;
/** Up to this many times it may be chance, and there is nothing to report. */
const ENDED_BY_CHANCE = 3;

export interface LastingParts {
  readonly target: Target;
  readonly clock: Clock;
  /** Called with the latest failure when the database is away, and with null when it is back. */
  readonly onAway: (failure: Error | null) => void;
  /** How long it may be away; null: forever. */
  readonly limitMs: number | null;
  /** When it aborts, nothing waits for the database any more. */
  readonly signal: AbortSignal;
}

/** Anything that runs statements. */
export type Queries = Pick<Connection, 'query'>;

/**
 * A session that is opened again when it is lost: by a restart of the database, a failover or an administrator. A
 * transaction that was lost with it is run again, unless it turns out to have been committed.
 */
export class LastingConnection implements Queries, AsyncDisposable {
  readonly #parts: LastingParts;
  #connection: Connection;
  #opening: Promise<void> | undefined;
  /** Whether `onAway` has reported it. */
  #isAway = false;
  /** What to do on every session when it is opened. */
  readonly #onOpen: ((connection: Connection) => Promise<void>)[] = [];

  private constructor(parts: LastingParts, connection: Connection) {
    this.#parts = parts;
    this.#connection = connection;
  }

  /** @throws Failure store_unreachable, store_refused: the first attempt does not wait */
  static async open(parts: LastingParts): Promise<LastingConnection> {
    return new LastingConnection(parts, await Connection.open(parts.target));
  }

  /** The current session; it may be lost at any time. */
  get connection(): Connection {
    return this.#connection;
  }

  query<R extends object>(statement: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.#lasting((connection) => connection.query<R>(statement, values));
  }

  /** Like Connection.transaction; `work` must do the same when it is run again. */
  transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#lasting((connection) => connection.transaction(() => work(connection)));
  }

  /** Like Connection.listen, on every session. */
  async listen(channel: string, onPayload: (payload: string) => void): Promise<void> {
    const listen = (connection: Connection): Promise<void> => connection.listen(channel, onPayload);
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
          // A standby that took the server's place refuses statements and keeps the session. PgBouncer opens sessions
          // while its server is away, and ends them at the first statement.
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

  /** @throws the error, if there is nothing to wait for any more */
  async #pause(error: unknown, since: number, limitMs = this.#parts.limitMs): Promise<void> {
    const { clock, signal, onAway } = this.#parts;
    const isLate = limitMs !== null && clock.elapsed() - since >= limitMs;
    if (signal.aborted || isLate) throw error;
    this.#isAway = true;
    onAway(error instanceof Error ? error : new Error(String(error)));
    await clock.sleep(PAUSE_MS, signal);
  }

  /** @param lost the session that no longer works; no effect if there is another one by now */
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

  /** Waits until it is known: the old session may take a moment to notice that its client has gone. */
  async #wasCommitted({ trace, cause }: CommitInDoubt): Promise<boolean> {
    if (trace === null) return false;
    for (;;) {
      const status = await this.#statusOf(trace.id);
      if (status === 'committed') return trace.isThere(this);
      if (status !== 'in progress') return false;
      if (this.#parts.signal.aborted) throw cause;
      await this.#parts.clock.sleep(CHECK_MS, this.#parts.signal);
    }
  }

  /** @returns as pg_xact_status; null: this server never assigned that number */
  async #statusOf(transaction: string): Promise<string | null> {
    try {
      return await this.#lasting(async (connection) => {
        const [row] = await connection.query<{ status: string | null }>(
          // A standby has yet to replay what it received. If the transaction is too old to be known, `isThere`
          // decides.
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
