import type { Advice } from '../domain/advice.ts';
import type { Edit } from '../domain/edit.ts';
import type { SetAside } from '../domain/set-aside.ts';

/** How a hand edit changed a row. */
export interface RowChange {
  /** Of the user or item. */
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
}

/** Notices of a store at work. */
export type StoreNotice =
  /** Hand edits of a file were taken in. */
  | {
      readonly kind: 'hand_edit_merged';
      readonly file: string;
      readonly rows: number;
      /** Some of them, those that were removed first. */
      readonly changes: readonly RowChange[];
      /** The version that it was made from, and when that came; null: it is the first file of all. */
      readonly madeFrom: { readonly at: number; readonly isOwnSave: boolean } | null;
    }
  /** A file is broken: its last good values stay in force and it is not written until it is mended. */
  | {
      readonly kind: 'file_broken';
      readonly file: string;
      readonly line: number;
      /** Names file and line. */
      readonly message: string;
      readonly fix: Advice | null;
    }
  | { readonly kind: 'file_mended'; readonly file: string }
  /** A file that cannot be merged is kept aside, and changes nothing; null: the next owner will do so. */
  | {
      readonly kind: 'file_set_aside';
      readonly file: string;
      readonly keptAs: string | null;
      readonly why: SetAside;
    }
  /** A file was removed: that changes nothing, and it is written again. */
  | { readonly kind: 'file_missing'; readonly file: string }
  /** A file was saved exactly as an earlier version was: that is no change, and it is written again. */
  | { readonly kind: 'file_outdated'; readonly file: string }
  /** A hand edit would have taken stock below zero: it is 0 now. */
  | {
      readonly kind: 'stock_clamped';
      readonly item: string;
      readonly wanted: number;
      readonly left: number;
    }
  /** The store was of an earlier format; what was replaced is kept. */
  | { readonly kind: 'upgraded'; readonly from: number; readonly to: number; readonly keptIn: string }
  /** Something was rebuilt after a crash. */
  | { readonly kind: 'recovered'; readonly journalRecords: number }
  /** What is listed leaves them out: the folder of their archives was not given. */
  | { readonly kind: 'orders_archived'; readonly orders: number; readonly untilMs: number }
  /** An edit came from another process. */
  | { readonly kind: 'edit_taken_in'; readonly edit: Edit }
  /** An edited copy of a table came from another process. */
  | { readonly kind: 'copy_taken_in'; readonly file: string; readonly rows: number };
