import type { ConditionalEdit, EditConditions, RowRequest } from '../domain/edits/conditional.ts';
import type { Edit, EditOrigin, EditRequest } from '../domain/edit.ts';
import type { BooksView, StoreHealth } from './health.ts';
import type { StoreNotice } from './notices.ts';
import type { Owner, OwnOptions } from './owner.ts';
import type { Position, Store, StoreView, OrderReader, RowReader } from './store.ts';
import type { TableCopy } from './table-copy.ts';

/** Access to a store for a process that may own it, call its owner, or only read. */
export interface StoreAccess extends Owner, StoreHealth {
  /** The name of the store in messages; for a folder, its absolute path. */
  readonly name: string;
  /**
   * Owns the store until disposal, which writes the CSVs and a checkpoint.
   *
   * @throws Failure folder_in_use (names the owner), corrupt_file, corrupt_state, write_failed
   */
  own(options: OwnOptions): Promise<Store>;
  /**
   * Makes one edit: through the owner if there is one, else by owning the store for a moment.
   *
   * @throws Failure as decideEdit and `own`; owner_unreachable (the owner does not answer in time)
   */
  edit(
    request: EditRequest,
    options: EditOrigin & { onNotice: (notice: StoreNotice) => void },
  ): Promise<Edit>;
  /**
   * Like `edit`, if the conditions hold when the edit is committed.
   *
   * @throws Failure changed_since, already_exists (the key was used for a different request), and as `edit`
   */
  editIf(
    request: RowRequest,
    conditions: EditConditions,
    options: EditOrigin & { onNotice: (notice: StoreNotice) => void },
  ): Promise<ConditionalEdit>;
  /**
   * Creates a copy of a table for editing. Nothing is locked while it is open. If the CSV is broken, the copy has its
   * last good values.
   *
   * @param how.kept the file of an earlier copy that was not discarded, to continue with
   * @param how.create if the folder does not exist, copy an empty table; merging the copy creates the folder
   * @throws Failure not_found (the folder or the copy does not exist), and as `read`
   */
  copyTable(
    table: 'users' | 'inventory',
    how?: { kept?: string | undefined; create?: boolean; onNotice?: (notice: StoreNotice) => void },
  ): Promise<TableCopy>;
  /**
   * Opens a view, from any process and without a lock. It includes the last commit.
   *
   * @param how `onNotice` receives the notice of a broken file, whose last good values are read; default: the listener
   *   given when the store was opened
   * @throws Failure not_found (not a storage folder), corrupt_file (a file is broken and has no last good values yet),
   * corrupt_state
   */
  read(how?: { readonly onNotice: (notice: StoreNotice) => void }): Promise<StoreView>;
  /** A view to keep, for a process that reads often; null: not available, use `read` each time. */
  keepView(): Promise<KeptView | null>;
  /**
   * Copies the store as it is at one moment, while its owner may be running. The copy is durable when this resolves;
   * it is a separate store with the same id.
   *
   * @param target a folder that is empty or does not exist
   * @throws Failure not_found, already_exists (the target is not empty), corrupt_state, write_failed
   */
  backUp(target: string): Promise<StoreBackup>;
  /**
   * Ids of recent decisions that start with `prefix`, newest first, for shell completion. They are read from the ends
   * of the two logs, at a cost that does not grow with the logs; the very latest may be missing.
   */
  recentOrderIds(prefix: string, limit: number): Promise<readonly string[]>;
}

/** A summary of a backup. */
export interface StoreBackup {
  readonly files: number;
  readonly sizeBytes: number;
  /** The id of the store, which the backup shares; null: the store was never owned. */
  readonly storeId: string | null;
  /** The positions at which a consumer on the backup would resume. */
  readonly positions: readonly Position[];
}

/**
 * A view that is kept up to date with the store, so that a read costs only what it reads.
 *
 * `use` reads the store at one moment, which includes everything committed before the call. `use` must wait for nothing
 * but this view, since other calls wait for it. Throws as `read` of StoreAccess, and as `use`.
 */
export interface KeptView {
  /** Reads orders. Broken files of tables do not matter. */
  lookAtOrders<R>(use: (view: OrderReader) => Promise<R>): Promise<R>;
  /** Reads rows, with hand edits that were not merged yet. */
  lookAtRows<R>(use: (view: RowReader) => Promise<R>): Promise<R>;
  /**
   * Reads the books as committed, without hand edits.
   *
   * @returns null: this view does not have them; use an inspection of StoreHealth
   */
  lookAtBooks<R>(use: (view: BooksView) => Promise<R>): Promise<R | null>;
}
