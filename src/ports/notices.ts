import type { Advice } from '../domain/advice.ts';
import type { Edit } from '../domain/edit.ts';
import type { SetAside } from '../domain/set-aside.ts';

/** A change of a row by a hand edit. */
export interface RowChange {
  /** Name of the user or item. */
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
}

/** A notice from a store in use. */
export type StoreNotice =
  /** Hand edits of a file were merged. */
  | {
      readonly kind: 'hand_edit_merged';
      readonly file: string;
      readonly rows: number;
      /** Some of the changes, removals first. */
      readonly changes: readonly RowChange[];
      /** The version on which the edits are based, and its time; null: the file is the first version. */
      readonly madeFrom: { readonly at: number; readonly isOwnSave: boolean } | null;
    }
  /** A file is broken: its last good values remain in force, and it is not written until it is fixed. */
  | {
      readonly kind: 'file_broken';
      readonly file: string;
      readonly line: number;
      /** Contains the file and line. */
      readonly message: string;
      readonly fix: Advice | null;
    }
  | { readonly kind: 'file_mended'; readonly file: string }
  /**
   * A file cannot be merged. It was set aside as `keptAs` and changes nothing; null: the next owner will set it aside.
   */
  | {
      readonly kind: 'file_set_aside';
      readonly file: string;
      readonly keptAs: string | null;
      readonly why: SetAside;
    }
  /** A file was deleted. This changes nothing, and the file is rewritten. */
  | { readonly kind: 'file_missing'; readonly file: string }
  /**
   * A file was saved with exactly the content of an earlier version. This is not a change, and the file is rewritten.
   */
  | { readonly kind: 'file_outdated'; readonly file: string }
  /** A hand edit would have taken stock below zero; it was set to 0. */
  | {
      readonly kind: 'stock_clamped';
      readonly item: string;
      readonly wanted: number;
      readonly left: number;
    }
  /** The store was upgraded from an earlier format; the replaced files were kept. */
  | { readonly kind: 'upgraded'; readonly from: number; readonly to: number; readonly keptIn: string }
  /** Something was rebuilt after a crash. */
  | { readonly kind: 'recovered'; readonly journalRecords: number }
  /** The list does not include these orders, since the folder of their archives was not given. */
  | { readonly kind: 'orders_archived'; readonly orders: number; readonly untilMs: number }
  /** An edit requested by another process was applied. */
  | { readonly kind: 'edit_taken_in'; readonly edit: Edit }
  /** An edited copy of a table from another process was merged. */
  | { readonly kind: 'copy_taken_in'; readonly file: string; readonly rows: number };
