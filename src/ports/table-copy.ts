import type { Edit, EditOrigin } from '../domain/edit.ts';
import type { Item, User } from '../domain/tables.ts';
import type { StoreNotice } from './notices.ts';

/** A copy of a table for an editor. The original is stored next to it, so that the user's changes can be determined. */
export interface TableCopy {
  /** The CSV to edit. */
  readonly file: string;
  /** @throws Failure corrupt_file: the copy has a mistake */
  read(): CopiedTable;
  /** The number of original rows that were removed. @throws Failure corrupt_file: the copy has a mistake */
  removed(): { readonly rows: number; readonly of: number };
  /** Replaces the content of the copy. */
  write(table: CopiedTable): Promise<void>;
  /** Whether the copy was changed. */
  isChanged(): boolean;
  /**
   * Merges the changes into the current table: quantities as differences, other cells as they were changed. It goes
   * through the owner if there is one, else it owns the store for a moment.
   *
   * @throws Failure corrupt_file (the copy has a mistake, with `file` and line; nothing was changed), changed_since,
   *   and as `edit` of StoreAccess
   */
  merge(options: MergeOptions): Promise<TableMerge>;
  /** Deletes the copy. */
  discard(): void;
}

export interface MergeOptions extends EditOrigin {
  /**
   * Fail with changed_since if another edit has changed one of the changed rows since the copy was made. For changes
   * that are computed from the copy and can be computed again. A sale is not an edit; a save by hand is one.
   */
  readonly unlessEdited?: boolean | undefined;
  readonly onNotice: (notice: StoreNotice) => void;
}

export interface CopiedTable {
  /** Names of the columns, in order. */
  readonly columns: readonly string[];
  /** Rows of one of the two tables. */
  readonly rows: readonly (User | Item)[];
}

export interface TableMerge {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** The first edits, up to half a mebibyte; the log of edits has all. */
  readonly edits: readonly Edit[];
  /** Whether rows or columns were reordered, or a column was added or removed. */
  readonly isRearranged: boolean;
  /** Stock that the edit would have taken below zero; it was set to 0. */
  readonly clamped: readonly { readonly item: string; readonly wanted: number; readonly left: number }[];
}
