import type { FactLog } from '../../domain/facts.ts';
import type { Lists } from './lists.ts';
import type { StoreSource, StoreTarget } from './store-copy.ts';

/** A summary of a store. */
export interface StoreAbout {
  readonly kind: 'folder' | 'postgres';
  /** The version of the server; null: the store has no server. */
  readonly server: string | null;
  readonly storeId: string | null;
  /** The format of the store. */
  readonly version: number;
  /** The newest format that this program knows. */
  readonly newest: number;
  readonly sizeBytes: number;
  /** The number of rows of each table and log. */
  readonly rows: readonly { readonly name: string; readonly rows: number }[];
}

/** Orders that are old enough to be archived. */
export interface ArchivePlan {
  readonly accepted: number;
  readonly rejected: number;
  /** When the first and the last of them were decided, in milliseconds since the epoch; null: there are none. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

export interface ArchiveOptions {
  /** Archive orders decided before this time, in milliseconds since the epoch. */
  readonly beforeMs: number;
  /** The target folder, which is created if it does not exist. */
  readonly to: string;
  readonly signal: AbortSignal;
  /** Called when a file is complete and its orders were removed from the store. */
  readonly onFile: (file: string, orders: number) => void;
}

export interface ArchivedOrders {
  readonly accepted: number;
  readonly rejected: number;
  /** Names of the files in the folder. */
  readonly files: readonly string[];
}

/** Moves old direct orders to files. Their ids stay known, and the books stay balanced without them. */
export interface StoreArchive {
  /** @throws Failure not_found, folder_in_use (sealed), store_too_new */
  plan(beforeMs: number): Promise<ArchivePlan>;
  /**
   * Archives the orders. After a crash nothing is lost or duplicated, and the next run continues.
   *
   * @throws Failure as `plan`; already_exists (a file of another store has the same name), folder_in_use (another
   * archive run or an erasure is running), changed_since, write_failed, interrupted
   */
  execute(options: ArchiveOptions): Promise<ArchivedOrders>;
}

/** Administration of a store: its format, archive and copies. */
export interface StoreAdmin {
  /** The name of the store in messages; for a folder, its absolute path. */
  readonly name: string;
  readonly lists: Lists;
  /** null: the store is a folder, whose logs are already files. */
  readonly archive: StoreArchive | null;
  /** @throws Failure not_found (the store does not exist), corrupt_state, store_too_new */
  about(): Promise<StoreAbout>;
  /**
   * Creates the store if it does not exist, and upgrades it to the newest version.
   *
   * @returns the versions before and after; `from` is null if the store did not exist
   * @throws Failure folder_in_use, store_too_new, store_refused, write_failed
   */
  migrate(): Promise<{ readonly from: number | null; readonly to: number }>;
  /**
   * Opens the store as the source of a copy, without waiting for other processes.
   *
   * @param to the target; an interrupted copy can only be continued to the same target
   * @throws Failure not_found, folder_in_use (another process uses the store, it was copied to another store, or it is
   * an incomplete copy itself)
   */
  source(to: string): Promise<StoreSource>;
  /**
   * Opens the store as the target of a copy, to create it or to continue an interrupted copy.
   *
   * @param of.from the source
   * @throws Failure already_exists (a store, or an incomplete copy of another store, exists here)
   */
  target(of: {
    readonly storeId: string;
    readonly from: string;
    readonly factLogs: readonly FactLog<never>[];
  }): Promise<StoreTarget>;
}
