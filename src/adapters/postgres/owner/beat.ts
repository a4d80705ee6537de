import type { Clock } from '../../../ports/clock.ts';
import type { OwnOptions } from '../../../ports/owner.ts';
import type { Processes } from '../../../ports/processes.ts';
import type { LastingConnection } from '../lasting.ts';
import { shutOut } from '../transactions/enter.ts';
import { LIVING, register, removeDead, type Instance } from './instances.ts';
import type { Shards } from './shards.ts';

const EVERY_MS = 1_000;

export interface BeatParts {
  /** Not the connection that commits, which may be busy for long. */
  readonly connection: LastingConnection;
  readonly self: Instance;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly shards: Shards;
  readonly how: Pick<OwnOptions, 'status' | 'onStop'>;
  /**
   * Called when others own the store too, or did, or may have sent what this process sends from now on. Not awaited.
   */
  readonly onOthers: () => void;
  /** Called when others have made edits. */
  readonly onNews: () => void;
  readonly onFailure: (error: unknown) => void;
}

const RENEW = `UPDATE orderctl.instances SET seen_at = clock_timestamp(), status = $2, answered = asked WHERE id = $1
  RETURNING is_to_stop AS "isToStop", is_out AS "isOut", (SELECT count(*) FROM orderctl.instances WHERE ${LIVING}) AS count,
    EXISTS (SELECT FROM orderctl.edits WHERE is_news) AS "hasNews"`;

/** Renews this process's row and shards in a shared store, each second and on request, and checks for other owners. */
export class Beat {
  readonly #parts: BeatParts;
  readonly #end = new AbortController();
  #rest = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #wasShared = false;
  #hasStopped = false;

  constructor(parts: BeatParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Beats at once, not only after a second. */
  now(): void {
    this.#rest.abort();
  }

  #isOver(): boolean {
    return this.#end.signal.aborted;
  }

  async #run(): Promise<void> {
    const { clock, onFailure } = this.#parts;
    while (!this.#isOver()) {
      this.#rest = new AbortController();
      try {
        await this.#beat();
      } catch (error) {
        if (!this.#isOver()) onFailure(error);
        return;
      }
      await clock.sleep(EVERY_MS, AbortSignal.any([this.#rest.signal, this.#end.signal]));
    }
  }

  async #beat(): Promise<void> {
    const { connection, self, processes, shards, how, onOthers, onNews } = this.#parts;
    const status = how.status?.() ?? null;
    const [row] = await connection.query<{
      isToStop: boolean;
      isOut: boolean;
      count: number;
      hasNews: boolean;
    }>(RENEW, [self.id, status === null ? null : JSON.stringify(status)]);
    if (row === undefined) {
      // The row was removed, for example while this process was asleep.
      await connection.transaction((session) => register(session, self, processes));
      return;
    }
    if (row.isOut) throw shutOut(connection.connection.name);
    if (row.isToStop && !this.#hasStopped) {
      this.#hasStopped = true;
      how.onStop?.();
    }
    const isShared = row.count > 1;
    if (isShared) await removeDead(connection, processes);
    const hasMoved = (isShared || this.#wasShared || shards.isAging) && (await shards.lease(connection));
    if (isShared || this.#wasShared || hasMoved) onOthers();
    this.#wasShared = isShared;
    if (row.hasNews) onNews();
  }

  async end(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }
}
