import type { ConditionalEdit, EditConditions, RowRequest } from '../domain/edits/conditional.ts';
import type { Edit, EditOrigin, EditRequest } from '../domain/edit.ts';
import type { BooksView, StoreHealth } from './health.ts';
import type { StoreNotice } from './notices.ts';
import type { Owner, OwnOptions } from './owner.ts';
import type { Position, Store, StoreView, OrderReader, RowReader } from './store.ts';
import type { TableCopy } from './table-copy.ts';

/** A store, seen from a process that may own it, ask its owner, or only read. */
export interface StoreAccess extends Owner, StoreHealth {
  /** For messages: of a folder, its absolute path. */
  readonly name: string;
  /**
   * Owns the store until disposal, which writes the CSVs and a checkpoint.
   *
   * @throws Failure folder_in_use (who has it), corrupt_file, corrupt_state, write_failed
   */
  own(options: OwnOptions): Promise<Store>;
  /**
   * Makes one edit: through the owner when there is one, else owning the store for that moment.
   *
   * @throws Failure of decideEdit, and those of `own`; owner_unreachable when the owner does not answer in time
   */
  edit(
    request: EditRequest,
    options: EditOrigin & { onNotice: (notice: StoreNotice) => void },
  ): Promise<Edit>;
  /**
   * As `edit`, where conditions hold in the commit that makes it.
   *
   * @throws Failure changed_since, already_exists (its key names another request), and those of `edit`
   */
  editIf(
    request: RowRequest,
    conditions: EditConditions,
    options: EditOrigin & { onNotice: (notice: StoreNotice) => void },
  ): Promise<ConditionalEdit>;
  /**
   * Makes a copy of a table to edit; nothing is locked while it is open. A copy of a CSV that
   * is broken has the last good values.
   *
   * @param how.kept the file of a copy that was made before and not discarded
   * @param how.create where there is no folder, it is one of an empty table, and merging it makes the folder
   * @throws Failure not_found when there is no folder, or no such copy; those of `read`
   */
  copyTable(
    table: 'users' | 'inventory',
    how?: { kept?: string | undefined; create?: boolean; onNotice?: (notice: StoreNotice) => void },
  ): Promise<TableCopy>;
  /**
   * No lock, any process, never behind the last commit.
   *
   * @param how `onNotice` receives a file that is broken, whose last good values are read, in place of the listener
   *   given when the store was opened
   * @throws Failure not_found (it is no storage folder), corrupt_file (broken, and there are no last good values yet),
   * corrupt_state
   */
  read(how?: { readonly onNotice: (notice: StoreNotice) => void }): Promise<StoreView>;
  /** For a process that looks often, one for all that it does; null: there is none, and `read` opens one each time. */
  keepView(): Promise<KeptView | null>;
  /**
   * Copies the store as it is at one moment, beside its owner, durable when this resolves. The copy is a store of its own,
   * with the same id.
   *
   * @param target a folder that is empty or not there
   * @throws Failure not_found, already_exists (it is not empty), corrupt_state, write_failed
   */
  backUp(target: string): Promise<StoreBackup>;
  /**
   * Ids of recent decisions that begin with `prefix`, newest first: from the ends of the two logs, at a cost that
   * does not grow with them. For completion: what was just decided may be missing.
   */
  recentOrderIds(prefix: string, limit: number): Promise<readonly string[]>;
}

/** What a backup of a store holds. */
export interface StoreBackup {
  readonly files: number;
  readonly sizeBytes: number;
  /** The id of the store, which the backup shares; null when it was never owned. */
  readonly storeId: string | null;
  /** Where reading would continue from it. */
  readonly positions: readonly Position[];
}

/**
 * A view for who looks often: it goes along with the store, so that a look costs what is looked at.
 *
 * What `use` reads is one moment of the store, which is not behind what was committed before the call. It waits for nothing
 * but this view: others wait for it. Throws those of `read` of StoreAccess, and of `use`.
 */
export interface KeptView {
  /** Whatever users do to the files of their tables meanwhile. */
  lookAtOrders<R>(use: (view: OrderReader) => Promise<R>): Promise<R>;
  /** With hand edits that were not taken in yet. */
  lookAtRows<R>(use: (view: RowReader) => Promise<R>): Promise<R>;
  /**
   * As committed, without hand edits.
   *
   * @returns null: they are not kept; an inspection of StoreHealth has them
   */
  lookAtBooks<R>(use: (view: BooksView) => Promise<R>): Promise<R | null>;
}
