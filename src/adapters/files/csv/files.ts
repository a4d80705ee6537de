import type { Item, User } from '../../../domain/tables.ts';
import { innerFolder } from '../layout.ts';
import { INVENTORY, USERS, type TableName } from '../tables/columns.ts';
import type { WriteTurns } from '../transactions/write-turns.ts';
import { CsvFile, type CsvContext } from './file.ts';

/** The least time between two rewrites of a CSV, unless twenty times the duration of the last rewrite is longer. */
const REWRITE_EVERY_MS = 1_000;
const REWRITE_PER_DURATION = 20;

/** The two CSVs of a folder, for its owner. */
export class CsvFiles {
  readonly #context: CsvContext;
  readonly #turns: WriteTurns;
  readonly #users: CsvFile<User>;
  readonly #inventory: CsvFile<Item>;
  #showsReads: boolean | undefined;

  constructor(context: Omit<CsvContext, 'showsReads' | 'exclusive'>, turns: WriteTurns) {
    const { files, folder, ledger } = context;
    this.#turns = turns;
    this.#context = {
      ...context,
      showsReads: () => (this.#showsReads ??= files.showsReads(innerFolder(folder))),
      exclusive: (work) => turns.run(work),
    };
    this.#users = new CsvFile(this.#context, USERS, ledger.tables.users);
    this.#inventory = new CsvFile(this.#context, INVENTORY, ledger.tables.inventory);
  }

  /** See `CsvFile.start`. */
  async start(besideBroken?: boolean): Promise<void> {
    await this.#users.start(besideBroken);
    await this.#inventory.start(besideBroken);
  }

  /** Applies hand edits. Call it between two commits. */
  async look(): Promise<void> {
    await this.#users.look();
    await this.#inventory.look();
  }

  /** Marks one or both CSVs to be rewritten even if they are not behind. */
  writeAgain(table?: TableName): void {
    if (table !== 'inventory') this.#users.writeAgain();
    if (table !== 'users') this.#inventory.writeAgain();
  }

  /** Rewrites the CSVs that are behind their tables. */
  async rewrite(): Promise<void> {
    try {
      if (this.#users.dirty) await this.#users.rewrite();
      if (this.#inventory.dirty) await this.#inventory.rewrite();
    } catch (error) {
      throw this.#turns.fail(error);
    }
  }

  close(): void {
    this.#users.close();
    this.#inventory.close();
  }

  /** Applies hand edits between commits and rewrites the CSVs when they are due, until `signal` aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    let rewrittenAt = clock.elapsed();
    let restMs = REWRITE_EVERY_MS;
    for (;;) {
      await clock.sleep(REWRITE_EVERY_MS, signal);
      if (signal.aborted || this.#turns.hasFailed) return;
      try {
        await this.#turns.run(() => this.look());
        const restedMs = clock.elapsed() - rewrittenAt;
        if (restedMs < restMs) continue;
        const from = clock.elapsed();
        await this.rewrite();
        rewrittenAt = clock.elapsed();
        restMs = Math.max(REWRITE_EVERY_MS, REWRITE_PER_DURATION * (rewrittenAt - from));
      } catch {
        // Nothing is written any more. The next transaction or disposal reports that, unless `onFailure` has.
        this.#turns.failedInBackground();
      }
    }
  }
}
