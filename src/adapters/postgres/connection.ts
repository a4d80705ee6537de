import net from 'node:net';
import pg from 'pg';
import { Failure } from '../../domain/failure.ts';
import { connectionFailure, failureOf, isLocked, isLost, isOfOtherTables, isRetried } from './failures.ts';
import { openToWrite, serversOf } from './url/hosts.ts';
import { checkKnown } from './migrations/known.ts';
import { lockedFailure } from './transactions/locks.ts';
import { arrayLiteral } from './rows/arrays.ts';
import { vanished, watched } from './url/reach.ts';
import { tlsOf } from './url/tls.ts';

/** How long a server may take to accept a connection. A refusal is noticed at once. */
const CONNECT_TIMEOUT_MS = 8_000;
/** How often a transaction is run that conflicts with others. */
const MOST_TRIES = 20;
/** After this long without a statement, the server ends the transaction and its session: the process may be paused. */
const IDLE_MS = 10_000;
/** The longest that a statement waits for a lock before it fails and is tried again. */
const LOCK_MS = 5_000;
/** After this long without data, the operating system probes the server each second, ten times. */
const KEEPALIVE_MS = 5_000;
/** How long to wait for the end of a session. */
const GOODBYE_MS = 1_000;

/** How to find out whether a transaction was committed. */
export interface Trace {
  /** Its number, as for pg_xact_status. */
  readonly id: string;
  /**
   * Whether what it wrote exists. A standby that took the place of a failed server assigns the numbers of
   * transactions that it lacks to others.
   */
  readonly isThere: (queries: Pick<Connection, 'query'>) => Promise<boolean>;
}

/** The session was lost during a commit, which may have succeeded or not. Reported if this cannot be found out. */
export class CommitInDoubt extends Failure {
  /** Null: the transaction can safely be run again. */
  readonly trace: Trace | null;
  /** The result of the transaction, if it was committed. */
  readonly result: unknown;

  constructor(trace: Trace | null, result: unknown, cause: unknown) {
    super(
      'store_unreachable',
      'the connection to PostgreSQL was lost during the commit: the change may or may not have been made',
      { fix: 'check whether it was made before you try again', cause },
    );
    this.trace = trace;
    this.result = result;
  }
}

const types = new pg.TypeOverrides();
// The numbers that we store are exact up to 2^53.
types.setTypeParser(pg.types.builtins.INT8, Number);

/** Where the database is. */
export interface Target {
  /** With the user and without the password; of one server or several, as serversOf accepts it. */
  readonly url: string;
  readonly password: string | null;
  /** See OwnOptions. */
  readonly onSynced?: (seconds: number) => void;
  /** Folder of its archived orders; null or absent: it was not given, and whatever needs them fails. */
  readonly archive?: string | null;
}

/** One session. Statements run one after another. */
export class Connection implements AsyncDisposable {
  readonly #client: pg.Client;
  readonly #socket: net.Socket;
  readonly #target: Target;
  /** Its URL, for messages. */
  readonly name: string;
  #queue: Promise<unknown> = Promise.resolve();
  #lost: Error | null = null;
  #onLost: (error: Error) => void = () => undefined;
  /** The trace of the current transaction, if its work sets one. */
  trace: Trace | null = null;

  private constructor(client: pg.Client, socket: net.Socket, target: Target) {
    this.#client = client;
    this.#socket = socket;
    this.#target = target;
    this.name = target.url;
    client.on('error', (error: Error) => this.#lose(error));
    client.on('end', () => this.#lose(new Error('the connection was closed')));
  }

  /** @throws Failure store_unreachable, store_refused */
  static async open(target: Target): Promise<Connection> {
    const { urls, isToWrite } = serversOf(target.url);
    const open = (url: string): Promise<Connection> => Connection.#openOn(url, target);
    if (!isToWrite) return open(urls[0]);
    return openToWrite({ name: target.url, urls }, open, async (session) => {
      const [row] = await session.query<{ transaction_read_only: string }>('SHOW transaction_read_only');
      return row?.transaction_read_only === 'off';
    });
  }

  static async #openOn(url: string, target: Target): Promise<Connection> {
    const { password } = target;
    const { url: plain, ssl } = tlsOf(url);
    const socket = new net.Socket();
    const client = new pg.Client({
      stream: () => socket,
      connectionString: plain,
      ...(ssl === undefined ? {} : { ssl }),
      ...(password === null ? {} : { password }),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'orderctl',
      // The other side may disappear silently.
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_MS,
      types,
    });
    const connection = new Connection(client, socket, target);
    try {
      await client.connect();
    } catch (error) {
      throw connectionFailure(error, url);
    }
    return connection;
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** Called once when the session is lost, but not when it is closed. */
  onLost(listener: (error: Error) => void): void {
    this.#onLost = listener;
  }

  #lose(error: Error): void {
    if (this.#lost !== null) return;
    this.#lost = connectionFailure(error, this.name);
    this.#onLost(this.#lost);
  }

  /** @throws Failure, such as store_too_new; DatabaseError for an invalid statement */
  query<R extends object>(statement: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.#inTurn(async () => (await this.#client.query<R>(statement, values.map(arrayLiteral))).rows);
  }

  /** Runs several statements, without values. */
  script(statements: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#client.query(statements);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(async () => {
      if (this.#lost !== null) throw this.#lost;
      try {
        return await watched(work(), this.#socket, () => this.#socket.destroy(vanished()));
      } catch (error) {
        if (isLost(error)) this.#lose(error as Error);
        if (isOfOtherTables(error)) await this.#refuseNewer();
        throw failureOf(error, this.name);
      }
    });
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /**
   * A newer program may have migrated the tables since they were checked. Uses a session of its own: this one may be
   * in a transaction that has failed.
   *
   * @throws Failure store_too_new
   */
  async #refuseNewer(): Promise<void> {
    let numbers: number[];
    try {
      await using session = await Connection.open(this.#target);
      const { rows } = await session.#client.query<{ number: number }>(
        'SELECT number FROM orderctl.migrations',
      );
      numbers = rows.map(({ number }) => number);
    } catch {
      // The error of the statement itself says more.
      return;
    }
    checkKnown(this.name, numbers);
  }

  /**
   * Runs `work` in a transaction, and again after a conflict with another one. One at a time on a connection.
   *
   * @param lockMs the longest that a statement waits for a lock; 0: forever
   * @throws CommitInDoubt; Failure for which isLocked is true
   */
  async transaction<T>(work: () => Promise<T>, lockMs = LOCK_MS): Promise<T> {
    // For the transaction, not the session: PgBouncer may give each transaction another session.
    const begin = `BEGIN ISOLATION LEVEL READ COMMITTED;
      SET LOCAL idle_in_transaction_session_timeout = ${IDLE_MS}; SET LOCAL lock_timeout = ${lockMs}`;
    for (let tries = 1; ; tries++) {
      this.trace = null;
      let result: T | undefined;
      let isCommitting = false;
      try {
        // This program logs its own edits: the triggers for edits by SQL skip them.
        await this.script(`${begin}; SET LOCAL orderctl.is_own = 'on'`);
        result = await work();
        isCommitting = true;
        const from = performance.now();
        await this.query('COMMIT');
        this.#target.onSynced?.((performance.now() - from) / 1000);
        return result;
      } catch (error) {
        if (isCommitting && this.#lost !== null) throw new CommitInDoubt(this.trace, result, error);
        // If the session is lost, the server rolls back by itself. A session that cannot roll back would stay in the
        // failed transaction.
        await this.query('ROLLBACK').catch((failure: unknown) => this.#lose(failure as Error));
        if (isLocked(error)) throw await lockedFailure(this, error);
        if (!isRetried(error) || tries === MOST_TRIES) throw error;
      }
    }
  }

  /** Calls `onPayload` for each notification. */
  async listen(channel: string, onPayload: (payload: string) => void): Promise<void> {
    this.#client.on('notification', (message) => {
      if (message.channel === channel) onPayload(message.payload ?? '');
    });
    await this.query(`LISTEN ${channel}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#onLost = () => undefined;
    await this.#queue;
    const timer = setTimeout(() => this.#socket.destroy(), GOODBYE_MS);
    await this.#client.end().catch(() => undefined);
    clearTimeout(timer);
  }
}
