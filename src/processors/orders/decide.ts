import type { Decided, Decision, Outcome } from '../../domain/orders/decided.ts';
import {
  MAX_LINE_QUANTITY,
  sameContent,
  totalsByItem,
  type Order,
  type RecordId,
} from '../../domain/orders/order.ts';
import { isSampled } from '../../domain/messages/trace.ts';
import type { State } from '../../domain/state.ts';
import type { Received } from '../processor.ts';
import {
  insufficientStock,
  invalidQuantity,
  NO_LINES,
  unknownItem,
  unknownUser,
  userNotPaid,
  type Refusal,
} from './reasons.ts';

/** The state that a decision reads. */
export type DecideState = Pick<State, 'status' | 'quantity'>;

/** Whether an order must have a user. If not, an order without a user is decided by stock alone. */
type Users = 'required' | 'optional';

/** Decides one order by users and stock. Total: returns a value for every order and never throws. */
export function decide(order: Order, state: DecideState, users: Users = 'required'): Outcome {
  if (order.user !== '' || users === 'required') {
    const status = state.status(order.user);
    if (status === undefined) return reject(order, state, unknownUser(order.user));
    if (status !== 'paid') return reject(order, state, userNotPaid(order.user, status));
  }

  const { items } = order;
  if (items.length === 0) return reject(order, state, NO_LINES);
  for (const line of items) {
    if (!isValidQuantity(line.quantity)) return reject(order, state, invalidQuantity(line));
  }

  // Most orders have one line, which needs no totals.
  const only = items.length === 1 ? items[0] : undefined;
  if (only !== undefined) {
    const { item, quantity } = only;
    const onHand = state.quantity(item);
    if (onHand === undefined) return reject(order, state, unknownItem(item));
    if (quantity > onHand) return reject(order, state, insufficientStock(item, onHand, quantity));
    return { kind: 'accepted', stock: [onHand] };
  }
  const stock: number[] = [];
  for (const { item } of items) {
    const onHand = state.quantity(item);
    if (onHand === undefined) return reject(order, state, unknownItem(item));
    stock.push(onHand);
  }
  for (const [item, quantity] of totalsByItem(items)) {
    const onHand = state.quantity(item) ?? 0;
    if (quantity > onHand) return reject(order, state, insufficientStock(item, onHand, quantity));
  }
  return { kind: 'accepted', stock };
}

/** Why an order is rejected whatever the users and stock, so that a retry cannot help; null: it may be accepted. */
export function refusedForGood(order: Order): string | null {
  const outcome = decide(order, { status: () => 'paid', quantity: () => Infinity });
  return outcome.kind === 'rejected' ? outcome.detail : null;
}

function isValidQuantity(quantity: number): boolean {
  return Number.isInteger(quantity) && quantity >= 1 && quantity <= MAX_LINE_QUANTITY;
}

function reject(order: Order, state: DecideState, { reason, detail }: Refusal): Outcome {
  return {
    kind: 'rejected',
    reason,
    detail,
    userStatus: order.user === '' ? null : (state.status(order.user) ?? null),
    stock: order.items.map((line) => state.quantity(line.item) ?? null),
  };
}

/** The state that a batch of decisions reads: a DecideState, and the ids that are already decided. */
export interface BatchState extends DecideState, Pick<State, 'decided'> {
  /** The record of an id that belongs to the other flow. In this flow the id is a conflict, whatever the content. */
  claimed?(orderId: string): RecordId | undefined;
}

/**
 * Decides a batch in order: each order sees the stock left by those before it, and a second record of an id is a
 * duplicate of the first. An order without a creation time gets `at`. A decision keeps a sampled trace. `state` is not
 * changed.
 *
 * @param at the time of the decisions, in milliseconds since the epoch
 */
export function decideAll(
  received: readonly (Pick<Received<Order>, 'message' | 'record'> &
    Partial<Pick<Received<Order>, 'traceparent'>>)[],
  state: BatchState,
  at: number,
  users: Users = 'required',
): Decision[] {
  const quantities = new Map<string, number>();
  const decidedHere = new Map<string, Decided>();
  const scratch: DecideState = {
    status: (user) => state.status(user),
    quantity: (item) => quantities.get(item) ?? state.quantity(item),
  };
  const decisions: Decision[] = [];
  for (const { message: order, record, traceparent = null } of received) {
    const { orderId, items } = order;
    const known = decidedHere.get(orderId) ?? state.decided(orderId);
    if (known !== undefined) {
      const isSame = sameContent(order, known.order);
      decisions.push({ kind: 'duplicate', order, record, first: known, sameContent: isSame });
      continue;
    }
    const claim = state.claimed?.(orderId);
    if (claim !== undefined) {
      const first = { record: claim, outcome: null };
      decisions.push({ kind: 'duplicate', order, record, first, sameContent: false });
      continue;
    }
    const outcome = decide(order, scratch, users);
    if (outcome.kind === 'accepted') {
      for (let index = 0; index < items.length; index++) {
        const line = items[index];
        if (line === undefined) continue;
        const onHand = index === 0 ? outcome.stock[0] : scratch.quantity(line.item);
        quantities.set(line.item, (onHand ?? 0) - line.quantity);
      }
    }
    const dated = Number.isNaN(order.createdAt) ? { ...order, createdAt: at } : order;
    const untraced: Decided = { order: dated, record, outcome, decidedAt: at };
    const decided = traceparent !== null && isSampled(traceparent) ? { ...untraced, traceparent } : untraced;
    decidedHere.set(orderId, decided);
    decisions.push({ kind: 'decided', decided });
  }
  return decisions;
}
