import type { Advice } from './advice.ts';
/** What does not agree. Part of the outside contract: never rename one. */
export const DIFFERENCE_KINDS = [
  /** A file that is the truth, and cannot be what was written. */
  'state_damaged',
  'log_changed',
  'line_unreadable',
  /** One id, two decisions. */
  'decided_twice',
  /** Stock is not what was put in less what was sold. */
  'stock_mismatch',
  /** An accepted order or an edit does not begin where the one before it ended. */
  'stock_before_mismatch',
  'edit_mismatch',
  'oversold',
  'item_mismatch',
  'user_mismatch',
  'position_mismatch',
  /** Of an order of the checkout: a step twice, two outcomes, one without what comes before it. */
  'step_twice',
  'outcome_mismatch',
  'step_missing',
  /** An id that belongs to both flows. */
  'claimed_twice',
  /** What was charged and not given back is not the total of a completed order, or not nothing of another. */
  'money_mismatch',
  'reservation_mismatch',
  /** What an effect owes and what asks for it. */
  'effect_missing',
  'effect_unaccounted',
  /** One event that counts twice. */
  'event_twice',
  /** An event and its change of the stock do not agree, or one is there without the other. */
  'event_mismatch',
  /** Views. */
  'log_tail_mismatch',
  'index_damaged',
  'index_missing',
  'csv_missing',
  'csv_behind',
  'csv_mismatch',
  /** The user's file cannot be read. */
  'csv_broken',
  /** Compared with the topic. */
  'record_unaccounted',
  'record_mismatch',
  'dead_letter_missing',
  /** An unfinished order of the checkout, for which nothing is to be read, sent or performed. */
  'order_stuck',
] as const;

export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export interface Difference {
  readonly kind: DifferenceKind;
  readonly item: string | null;
  readonly orderId: string | null;
  readonly expected: string | number | null;
  readonly actual: string | number | null;
  /** `orders.jsonl:7` (a line, counted from 1), `orders/3@17` (a record), or a file; files are relative to the folder. */
  readonly where: string;
  /** What does not agree, in words. */
  readonly message: string;
  /** What can be done about it; null for a view, which can be built again. */
  readonly fix: Advice | null;
}

export const NOTE_KINDS = [
  ...(['hand_edit', 'csv_behind', 'unfinished', 'dead_letters_deleted', 'records_deleted'] as const),
  ...(['effect_parked', 'order_skipped'] as const),
] as const;

/** Something that looks odd and is no difference. */
export interface AuditNote {
  readonly kind: (typeof NOTE_KINDS)[number];
  readonly where: string;
  readonly message: string;
}

const RESTORE = 'restore the whole folder from a backup; orders read since then are read again from Kafka';

/** A difference in the truth itself: it cannot be built again from anything. */
export function difference(
  kind: DifferenceKind,
  where: string,
  about: Partial<Omit<Difference, 'kind' | 'where'>> & { readonly message: string },
): Difference {
  return { kind, item: null, orderId: null, expected: null, actual: null, where, fix: RESTORE, ...about };
}
