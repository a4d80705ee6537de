import { MAX_LINE_QUANTITY, sameContent, totalsByItem, type Order, type RecordId } from './order.ts';
import type { Reason } from './reasons.ts';
import type { UserStatus } from '../tables.ts';

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
}

/** What became of a record that holds an order: the deciding one, or one more of an id decided before. */
export type Decision =
  | { readonly kind: 'decided'; readonly decided: Decided }
  | {
      readonly kind: 'duplicate';
      readonly order: Order;
      readonly record: RecordId;
      readonly first: Decided;
      /** False is a conflict: the same id with another content. */
      readonly sameContent: boolean;
    };

/** What a decision looks at. */
export interface DecideState {
  status(user: string): UserStatus | undefined;
  quantity(item: string): number | undefined;
}

/** Decides one order against users and stock. Total: a value for every order, never an exception. */
export function decide(order: Order, state: DecideState): Outcome {
  const status = state.status(order.user);
  if (status === undefined) {
    return reject(order, state, 'unknown_user', `user ${order.user} does not exist`);
  }
  if (status !== 'paid') return reject(order, state, 'user_not_paid', `user ${order.user} is ${status}`);

  const { items } = order;
  if (items.length === 0) return reject(order, state, 'invalid_quantity', 'the order has no lines');
  for (const line of items) {
    if (!isValidQuantity(line.quantity)) {
      const detail = `quantity of ${line.item} is ${line.quantity}, not a whole number from 1 to ${MAX_LINE_QUANTITY}`;
      return reject(order, state, 'invalid_quantity', detail);
    }
  }

  // One line is by far the commonest order, and needs no totals.
  const only = items.length === 1 ? items[0] : undefined;
  if (only !== undefined) {
    const { item, quantity } = only;
    const onHand = state.quantity(item);
    if (onHand === undefined) return reject(order, state, 'unknown_item', `item ${item} does not exist`);
    if (quantity > onHand) {
      return reject(order, state, 'insufficient_stock', shortage(item, onHand, quantity));
    }
    return { kind: 'accepted', stock: [onHand] };
  }
  const stock: number[] = [];
  for (const { item } of items) {
    const onHand = state.quantity(item);
    if (onHand === undefined) return reject(order, state, 'unknown_item', `item ${item} does not exist`);
    stock.push(onHand);
  }
  for (const [item, quantity] of totalsByItem(items)) {
    const onHand = state.quantity(item) ?? 0;
    if (quantity > onHand) {
      return reject(order, state, 'insufficient_stock', shortage(item, onHand, quantity));
    }
  }
  return { kind: 'accepted', stock };
}

function isValidQuantity(quantity: number): boolean {
  return Number.isInteger(quantity) && quantity >= 1 && quantity <= MAX_LINE_QUANTITY;
}

function shortage(item: string, onHand: number, wanted: number): string {
  return `item ${item} has ${onHand} on hand, ${wanted} wanted`;
}

function reject(order: Order, state: DecideState, reason: Reason, detail: string): Outcome {
  return {
    kind: 'rejected',
    reason,
    detail,
    userStatus: state.status(order.user) ?? null,
    stock: order.items.map((line) => state.quantity(line.item) ?? null),
  };
}

/** What a batch of decisions looks at: as DecideState, and which ids are decided already. */
export interface BatchState extends DecideState {
  decided(orderId: string): Decided | undefined;
}

/**
 * Folds `decide` over a batch on a scratch copy: the second order sees the unit that the first one took, and a
 * second record of an id is a duplicate of the first. An order that nothing dates is made when it is decided. `state`
 * is not changed.
 *
 * @param at decision time, milliseconds since the epoch
 */
export function decideAll(
  orders: readonly { readonly order: Order; readonly record: RecordId }[],
  state: BatchState,
  at: number,
): Decision[] {
  const quantities = new Map<string, number>();
  const decidedHere = new Map<string, Decided>();
  const scratch: DecideState = {
    status: (user) => state.status(user),
    quantity: (item) => quantities.get(item) ?? state.quantity(item),
  };
  const decisions: Decision[] = [];
  for (const { order, record } of orders) {
    const { orderId, items } = order;
    const first = decidedHere.get(orderId) ?? state.decided(orderId);
    if (first !== undefined) {
      decisions.push({
        kind: 'duplicate',
        order,
        record,
        first,
        sameContent: sameContent(order, first.order),
      });
      continue;
    }
    const outcome = decide(order, scratch);
    if (outcome.kind === 'accepted') {
      for (let index = 0; index < items.length; index++) {
        const line = items[index];
        if (line === undefined) continue;
        const onHand = index === 0 ? outcome.stock[0] : scratch.quantity(line.item);
        quantities.set(line.item, (onHand ?? 0) - line.quantity);
      }
    }
    const dated = Number.isNaN(order.createdAt) ? { ...order, createdAt: at } : order;
    const decided: Decided = { order: dated, record, outcome, decidedAt: at };
    decidedHere.set(orderId, decided);
    decisions.push({ kind: 'decided', decided });
  }
  return decisions;
}
