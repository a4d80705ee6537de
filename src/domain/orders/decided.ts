import type { UserStatus } from '../tables.ts';
import type { Order, RecordId } from './order.ts';
import type { Reason } from './reasons.ts';

export type Outcome =
  | {
      readonly kind: 'accepted';
      /** On hand before this order, one per line. */
      readonly stock: readonly number[];
    }
  | {
      readonly kind: 'rejected';
      readonly reason: Reason;
      /** The reason in words, naming the user or item. */
      readonly detail: string;
      /** Status of the user at that moment; null when there is no such user. */
      readonly userStatus: UserStatus | null;
      /** On hand at that moment, one per line; null for an unknown item. */
      readonly stock: readonly (number | null)[];
    };

/** The one decision an order id ever gets, with the record that it was decided on. */
export interface Decided {
  readonly order: Order;
  readonly record: RecordId;
  readonly outcome: Outcome;
  /** Milliseconds since the epoch. */
  readonly decidedAt: number;
  /** The file that has prices, stock and the reason in words, which are not known here; left out: all is known. */
  readonly archivedIn?: string;
}

/** What became of a record that holds an order: the deciding one, or one more of an id decided before. */
export type Decision =
  | { readonly kind: 'decided'; readonly decided: Decided }
  | {
      readonly kind: 'duplicate';
      readonly order: Order;
      readonly record: RecordId;
      /** The deciding one; without an outcome: the checkout has the id, by that record. */
      readonly first: { readonly record: RecordId; readonly outcome: Pick<Outcome, 'kind'> | null };
      /** False is a conflict: the same id with another content. */
      readonly sameContent: boolean;
    };
