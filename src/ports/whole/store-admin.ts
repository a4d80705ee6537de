import type { FactLog } from '../../domain/facts.ts';
import type { Lists } from './lists.ts';
import type { StoreSource, StoreTarget } from './store-copy.ts';

/** What is known of a store as a whole. */
export interface StoreAbout {
  readonly kind: 'folder' | 'postgres';
  /** The version of the server; null: there is none. */
  readonly server: string | null;
  readonly storeId: string | null;
  /** The format in which it is, and the newest that this program knows. */
  readonly version: number;
  readonly newest: number;
  readonly sizeBytes: number;
  /** Counted, of each table and log. */
  readonly rows: readonly { readonly name: string; readonly rows: number }[];
}

/** Orders that are old enough to be archived. */
export interface ArchivePlan {
  readonly accepted: number;
  readonly rejected: number;
  /** When the first and the last of them were decided, milliseconds since the epoch; null: there are none. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

export interface ArchiveOptions {
  /** Orders decided before that, milliseconds since the epoch. */
  readonly beforeMs: number;
  /** A folder, which is made where it is not there. */
  readonly to: string;
  readonly signal: AbortSignal;
  /** A file is there, and its orders have left the store. */
  readonly onFile: (file: string, orders: number) => void;
}

export interface ArchivedOrders {
  readonly accepted: number;
  readonly rejected: number;
  /** Names in the folder. */
  readonly files: readonly string[];
}

/** Old orders of the direct flow are moved to files; their ids stay known, and the books balance without them. */
export interface StoreArchive {
  /** @throws Failure not_found, folder_in_use (sealed), store_too_new */
  plan(beforeMs: number): Promise<ArchivePlan>;
  /**
   * A crash loses nothing and leaves nothing twice; run again it goes on.
   *
   * @throws Failure as `plan`; already_exists: a file of another store is in the way; folder_in_use: another run or an erasure is at work; changed_since, write_failed, interrupted
   */
  execute(options: ArchiveOptions): Promise<ArchivedOrders>;
}

/** A store as a whole: what it is, and its format. */
export interface StoreAdmin {
  /** For messages: of a folder, its absolute path. */
  readonly name: string;
  readonly lists: Lists;
  /** null: it is a folder, whose logs are such files already. */
  readonly archive: StoreArchive | null;
  /** @throws Failure not_found there is no store; corrupt_state, store_too_new */
  about(): Promise<StoreAbout>;
  /**
   * Makes the store where there is none, and brings it to the newest version.
   *
   * @returns its version before; null: there was none
   * @throws Failure folder_in_use, store_too_new, store_refused, write_failed
   */
  migrate(): Promise<{ readonly from: number | null; readonly to: number }>;
  /**
   * To copy it: waits for nobody.
   *
   * @param to what it is copied to, which alone may go on with a copy of it that was interrupted
   * @throws Failure not_found, folder_in_use (somebody uses it, it was copied to another store, or it is half a copy)
   */
  source(to: string): Promise<StoreSource>;
  /**
   * To make it of another one, or to go on with that.
   *
   * @param from what it is copied from
   * @throws Failure already_exists there is a store already, or the beginning of another copy
   */
  target(of: {
    readonly storeId: string;
    readonly from: string;
    readonly factLogs: readonly FactLog<never>[];
  }): Promise<StoreTarget>;
}
