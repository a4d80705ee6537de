import type { UserStatus } from '../tables.ts';
import type { Order, RecordId } from './order.ts';
import type { Reason } from './reasons.ts';

export type Outcome =
  | {
      readonly kind: 'accepted';
      /** Stock on hand before this order, one number per line. */
      readonly stock: readonly number[];
    }
  | {
      readonly kind: 'rejected';
      readonly reason: Reason;
      /** The reason as a sentence that names the user or item. */
      readonly detail: string;
      /** Status of the user at that moment; null if the user does not exist. */
      readonly userStatus: UserStatus | null;
      /** Stock on hand at that moment, one number per line; null for an unknown item. */
      readonly stock: readonly (number | null)[];
    };

/** The only decision on an order id, with the record that carried the order. */
export interface Decided {
  readonly order: Order;
  readonly record: RecordId;
  readonly outcome: Outcome;
  /** Milliseconds since the epoch. */
  readonly decidedAt: number;
  /** The header `traceparent` of its cause; left out: it was not sampled, or is unknown, as with `--no-events`. */
  readonly traceparent?: string;
  /** The archive file with the prices, stock and detail, which are missing here; left out: nothing is missing. */
  readonly archivedIn?: string;
}

/** The outcome of a record that carries an order: it was decided by this record, or by an earlier one. */
export type Decision =
  | { readonly kind: 'decided'; readonly decided: Decided }
  | {
      readonly kind: 'duplicate';
      readonly order: Order;
      readonly record: RecordId;
      /** The record that decided the order; null outcome: that record placed a checkout order with this id. */
      readonly first: { readonly record: RecordId; readonly outcome: Pick<Outcome, 'kind'> | null };
      /** False is a conflict: the same id with different content. */
      readonly sameContent: boolean;
    };
