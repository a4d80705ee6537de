import type { Edit } from '../../../domain/edit.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Changes, Snapshot } from '../../../ports/store.ts';
import { ChangeEncoder, type EditEvents } from '../journal/change-encoder.ts';
import type { Ledger } from '../ledger.ts';
import type { EditFrom } from '../logs/edit-line.ts';
import { transactionState } from './state.ts';
import { failureOf, type WriteTurns } from './write-turns.ts';

/** The most bytes for the logs in one shared record, all of which is in memory. */
const MOST_BYTES = 8 * 1024 * 1024;

interface Parts {
  readonly folder: string;
  readonly ledger: Ledger;
  readonly turns: WriteTurns;
  readonly clock: Clock;
  /** Applies hand edits. */
  readonly look: () => Promise<void>;
  readonly eventsOf: (edits: Iterable<Edit>) => EditEvents;
}

interface Waiting {
  /** Stages the result. @returns what `decide` threw @throws an error after which the store must end */
  readonly run: () => { error: Error } | null;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: transactions that wait are decided in turn, each on the state after the one before, and share one
 * journal record and one sync; all resolve after it. A transaction on its own costs nothing more.
 */
export class GroupCommit {
  readonly #parts: Parts;
  readonly #changes: ChangeEncoder;
  #waiting: Waiting[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#changes = new ChangeEncoder(parts.ledger.tables);
  }

  transact<R>(from: EditFrom, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R> {
    return new Promise((resolve, reject) => {
      let result: R;
      const run = (): { error: Error } | null => {
        const { ledger, clock, folder } = this.#parts;
        let changes: Changes;
        try {
          ({ changes, result } = decide(transactionState(ledger, clock)));
        } catch (error) {
          // Nothing was written: an error of the caller or of a look-up leaves the store as it is.
          return { error: failureOf(error, folder) };
        }
        this.#stage(changes, from);
        return null;
      };
      this.#wait({ run, resolve: () => resolve(result), reject });
    });
  }

  /**
   * Runs `stage` in its turn; durable when this resolves, by the record and sync of the transactions that wait with it.
   */
  stage(stage: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = (): null => {
        stage();
        return null;
      };
      this.#wait({ run, resolve, reject });
    });
  }

  #wait(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#waiting.length === 1) this.#begin();
  }

  #stage(changes: Changes, from: EditFrom): void {
    const { ledger, clock, eventsOf } = this.#parts;
    const stamp = { seq: ledger.nextSeq, at: clock.now(), ...from };
    const commit = this.#changes.toCommit(changes, stamp, eventsOf(changes.edits ?? []));
    if (commit === null) return;
    try {
      ledger.stage(commit);
    } catch (error) {
      // A log that exists before its first line is another owner's, if there is one.
      ledger.assertSound();
      throw error;
    }
  }

  /** Schedules the transactions that wait. */
  #begin(): void {
    const group: Waiting[] = [];
    const { ledger, turns, look } = this.#parts;
    const done = turns.run(async () => {
      await look();
      this.#changes.clear();
      this.#decideInto(group);
      await ledger.flush();
      if (ledger.checkpointDue) await ledger.startCheckpoint();
    });
    done.then(
      () => {
        for (const { resolve } of group) resolve();
      },
      (error: unknown) => {
        // Those that were not decided too, or their callers would wait forever.
        for (const { reject } of [...group, ...this.#waiting.splice(0)]) reject(error);
      },
    );
  }

  /** @param group receives the transactions that were staged */
  #decideInto(group: Waiting[]): void {
    while (this.#waiting.length > 0 && this.#parts.ledger.stagedBytes < MOST_BYTES) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      group.push(next);
      const failed = next.run();
      if (failed === null) continue;
      group.pop();
      next.reject(failed.error);
    }
    if (this.#waiting.length > 0) this.#begin();
  }
}
