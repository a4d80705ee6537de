import { checkoutEffectId } from '../../domain/checkout/effect-id.ts';
import { CHECKOUT, factOf, has, placedOf } from '../../domain/checkout/facts.ts';
import type { Effect } from '../../domain/effects.ts';
import { isoTime } from '../../domain/iso-time.ts';
import {
  INVENTORY_REJECTED,
  type InventoryRejected,
} from '../../domain/messages/checkout/inventory-rejected.ts';
import { ORDER_CANCELLED, type OrderCancelled } from '../../domain/messages/checkout/order-cancelled.ts';
import { ORDER_VALIDATED, type OrderValidated } from '../../domain/messages/checkout/order-validated.ts';
import { PAYMENT_FAILED } from '../../domain/messages/checkout/payment-failed.ts';
import { PAYMENT_PROCESSED } from '../../domain/messages/checkout/payment-processed.ts';
import { PAYMENT_REFUNDED } from '../../domain/messages/checkout/payment-refunded.ts';
import { restoredAt } from '../../domain/messages/restored.ts';
import { decideEach, type Draft, type Handled } from '../draft.ts';
import type { ShopOptions } from '../options.ts';
import { isOf, type Processor, type Received } from '../processor.ts';
import { afterFlight, dueAgain } from '../retries.ts';
import { askedAt, effectsBy, isForgotten, owe, paymentFields } from './effects.ts';

type Message = OrderValidated | InventoryRejected | OrderCancelled;

/** Charges each validated order once, and refunds an order that is cancelled or whose stock was sold to others. */
export function payment({ payment: rules }: Pick<ShopOptions, 'payment'>): Processor<Message, Handled> {
  return {
    name: 'payment',
    sources: [ORDER_VALIDATED, INVENTORY_REJECTED, ORDER_CANCELLED],
    emits: [PAYMENT_PROCESSED, PAYMENT_FAILED, PAYMENT_REFUNDED],
    keys: (received) => {
      const orders = received.map(({ message }) => message.order_id);
      return {
        facts: new Map([[CHECKOUT, orders]]),
        effects: orders.flatMap((id) => [checkoutEffectId(id, 'charge'), checkoutEffectId(id, 'refund')]),
      };
    },
    decide: (received, state) => decideEach(received, state, decide),
    effects: effectsBy(rules),
  };
}

function decide(received: Received<Message>, draft: Draft): Handled {
  if (isOf(received, ORDER_VALIDATED)) return charge(received, draft);
  if (isOf(received, INVENTORY_REJECTED)) return giveBack(received, received.message.reason, draft);
  const cancelled = received as Received<OrderCancelled>;
  const { order_id, outcome } = cancelled.message;
  if (outcome === 'refused') return { kind: 'ignored', about: order_id, detail: 'it was not cancelled' };
  return giveBack(cancelled, 'cancelled', draft);
}

function charge(received: Received<OrderValidated>, draft: Draft): Handled {
  const { order_id, customer_id, total_amount: amount } = received.message;
  const facts = draft.facts(CHECKOUT, order_id);
  if (has(facts, 'charge_owed')) return oneMoreTry(draft, order_id, 'charge');
  if (has(facts, 'not_charged')) {
    return { kind: 'ignored', about: order_id, detail: 'it was cancelled before it was charged' };
  }
  if (has(facts, 'cancelled', 'gone', 'rejected')) return chargedBefore(received, draft);
  owe(draft, 'charge', { order_id, customer_id, amount, reason: null }, received);
  return { kind: 'handled', about: order_id, detail: `${amount} to be charged` };
}

/** An order that must not be charged, but that may have been charged before the store was restored. */
function chargedBefore(received: Received<OrderValidated>, draft: Draft): Handled {
  const { order_id, customer_id, total_amount: amount, validated_at } = received.message;
  if (!isForgotten(validated_at, draft)) {
    draft.append(CHECKOUT, {
      order_id,
      at: isoTime(draft.state.at),
      ...received.record,
      step: 'not_charged',
    });
    return { kind: 'ignored', about: order_id, detail: 'it was cancelled before it was charged' };
  }
  owe(draft, 'charge', { order_id, customer_id, amount, reason: null }, received, { onlyLookUp: true });
  return {
    kind: 'handled',
    about: order_id,
    detail: 'it may have been charged before the store was restored: the gateway will be asked',
  };
}

/** The order will not be shipped: refund it if it was paid, else do not charge it any more. */
function giveBack(
  received: Received<InventoryRejected | OrderCancelled>,
  reason: string,
  draft: Draft,
): Handled {
  const { order_id } = received.message;
  const facts = draft.facts(CHECKOUT, order_id);
  if (has(facts, 'refund_owed')) return oneMoreTry(draft, order_id, 'refund');
  const paid = factOf(facts, 'paid');
  if (paid !== undefined) {
    const customer_id = placedOf(facts)?.customer_id ?? received.message.customer_id ?? '';
    owe(draft, 'refund', { order_id, customer_id, amount: paid.amount, reason }, received);
    return { kind: 'handled', about: order_id, detail: `${paid.amount} to be refunded: ${reason}` };
  }
  if (has(facts, 'declined', 'not_charged')) {
    return { kind: 'seen', about: order_id, detail: 'nothing was charged' };
  }
  const owed = draft.effect(checkoutEffectId(order_id, 'charge'));
  if (owed !== undefined && (mayHaveMoved(owed) || isForgotten(askedAt(owed), draft)))
    return findOut(draft, order_id, owed);
  if (!has(facts, 'charge_owed') && restoredAt(draft.state) !== null) {
    const detail = 'it may have been charged before the store was restored: its validation will show';
    return { kind: 'handled', about: order_id, detail };
  }
  if (owed !== undefined) draft.change({ id: owed.id, effect: null });
  draft.append(CHECKOUT, { order_id, at: isoTime(draft.state.at), ...received.record, step: 'not_charged' });
  return { kind: 'handled', about: order_id, detail: 'it will not be charged' };
}

function mayHaveMoved(charge: Effect): boolean {
  const { may_have_moved, answered } = paymentFields(charge);
  return may_have_moved || charge.attempts > answered;
}

/** A charge that is no longer wanted, but may have happened: look it up. A try under way ends in a refund instead. */
function findOut(draft: Draft, orderId: string, charge: Effect): Handled {
  if (charge.state !== 'trying') {
    const fields = { ...charge.fields, only_look_up: true };
    draft.change({ id: charge.id, effect: { ...afterFlight(charge, draft.state.at), fields } });
  }
  return { kind: 'handled', about: orderId, detail: 'it may have been charged: the gateway will be asked' };
}

/**
 * A message that is read again starts one more try of a parked effect. The message that requested the charge also
 * restarts the refund, for an order that was cancelled before the charge was found.
 */
function oneMoreTry(draft: Draft, orderId: string, kind: 'charge' | 'refund'): Handled {
  const about = orderId;
  const parked = ([kind, 'refund'] as const)
    .map((asked) => draft.effect(checkoutEffectId(orderId, asked)))
    .find((effect) => effect?.state === 'parked');
  if (parked === undefined) return { kind: 'seen', about, detail: `its ${kind} was requested before` };
  draft.change({ id: parked.id, effect: dueAgain(parked, draft.state.at) });
  return { kind: 'handled', about, detail: `its ${parked.kind} will be tried once more` };
}
