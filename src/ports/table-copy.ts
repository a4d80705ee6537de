import type { Edit, EditOrigin } from '../domain/edit.ts';
import type { Item, User } from '../domain/tables.ts';
import type { StoreNotice } from './notices.ts';

/** A copy of a table for an editor. What it was made from is kept beside it, so that the user's changes are known. */
export interface TableCopy {
  /** The CSV to edit. */
  readonly file: string;
  /** @throws Failure corrupt_file for a mistake in it */
  read(): CopiedTable;
  /** How many of its original rows are gone. @throws Failure corrupt_file for a mistake in it */
  removed(): { readonly rows: number; readonly of: number };
  /** Replaces its content. */
  write(table: CopiedTable): Promise<void>;
  /** Whether it was changed. */
  isChanged(): boolean;
  /**
   * Merges the changes into the present table: quantities as the difference; other cells as they were changed.
   * Through the owner when there is one, else owning the store for that moment.
   *
   * @throws Failure corrupt_file, with `file` and line, for a mistake in the copy: then nothing was asked of anyone;
   *   changed_since; otherwise as `edit` of StoreAccess
   */
  merge(options: MergeOptions): Promise<TableMerge>;
  /** Removes it. */
  discard(): void;
}

export interface MergeOptions extends EditOrigin {
  /**
   * Refused with changed_since where another edit has changed a row that the copy changes, since that was made: for what is
   * computed from the copy, and can be computed again. A sale is no edit; a save by hand is one.
   */
  readonly unlessEdited?: boolean | undefined;
  readonly onNotice: (notice: StoreNotice) => void;
}

export interface CopiedTable {
  /** Names of the header, in its order. */
  readonly columns: readonly string[];
  /** Of one of the two tables. */
  readonly rows: readonly (User | Item)[];
}

export interface TableMerge {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** The first of them, up to half a mebibyte; the log of edits has all. */
  readonly edits: readonly Edit[];
  /** Rows or columns are in another order, or a column came or went. */
  readonly isRearranged: boolean;
  /** Stock that the edit would have taken below zero: it is 0 now. */
  readonly clamped: readonly { readonly item: string; readonly wanted: number; readonly left: number }[];
}
