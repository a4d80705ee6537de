import type { Advice } from './advice.ts';
/** The kinds of difference that an audit reports. They are part of the public contract: never rename one. */
export const DIFFERENCE_KINDS = [
  /** An authoritative file does not have the content that was written. */
  'state_damaged',
  'log_changed',
  'line_unreadable',
  /** One order id has two decisions. */
  'decided_twice',
  /** The stock on hand is not what was put in minus what was sold. */
  'stock_mismatch',
  /** The stock before an accepted order or an edit is not the stock after the previous change. */
  'stock_before_mismatch',
  'edit_mismatch',
  'oversold',
  'item_mismatch',
  'user_mismatch',
  'position_mismatch',
  /** A checkout order has a step twice, has two outcomes, or has a step without the one that must precede it. */
  'step_twice',
  'outcome_mismatch',
  'step_missing',
  /** One order id belongs to both flows. */
  'claimed_twice',
  /** Charges minus refunds are not the total of a completed order, or not zero for any other order. */
  'money_mismatch',
  'reservation_mismatch',
  /** A fact requires an effect that does not exist, or an effect exists that no fact requires. */
  'effect_missing',
  'effect_unaccounted',
  /** One stock event was counted twice. */
  'event_twice',
  /** A stock event and its change of stock do not agree, or one exists without the other. */
  'event_mismatch',
  /** Views, which can be rebuilt. */
  'log_tail_mismatch',
  'index_damaged',
  'index_missing',
  'csv_missing',
  'csv_behind',
  'csv_mismatch',
  /** The CSV file that the user edits cannot be read. */
  'csv_broken',
  /** The store does not agree with the topic. */
  'record_unaccounted',
  'record_mismatch',
  'dead_letter_missing',
  /** An unfinished checkout order for which nothing is left to be read, sent or performed. */
  'order_stuck',
] as const;

export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export interface Difference {
  readonly kind: DifferenceKind;
  readonly item: string | null;
  readonly orderId: string | null;
  readonly expected: string | number | null;
  readonly actual: string | number | null;
  /**
   * `orders.jsonl:7` (a line, counted from 1), `orders/3@17` (a record), or a file; files are relative to the folder.
   */
  readonly where: string;
  /** A sentence that says what does not agree. */
  readonly message: string;
  /** What to do; null for a view, which can be rebuilt. */
  readonly fix: Advice | null;
}

export const NOTE_KINDS = [
  'hand_edit',
  'csv_behind',
  'unfinished',
  'dead_letters_deleted',
  'records_deleted',
  'effect_parked',
  'order_skipped',
] as const;

/** Something unusual that is not a difference. */
export interface AuditNote {
  readonly kind: (typeof NOTE_KINDS)[number];
  readonly where: string;
  readonly message: string;
}

const RESTORE = 'restore the whole folder from a backup; orders read since then are read again from Kafka';

/** A difference in authoritative data, which cannot be rebuilt from anything else. */
export function difference(
  kind: DifferenceKind,
  where: string,
  about: Partial<Omit<Difference, 'kind' | 'where'>> & { readonly message: string },
): Difference {
  return { kind, item: null, orderId: null, expected: null, actual: null, where, fix: RESTORE, ...about };
}
