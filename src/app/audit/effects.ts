import { checkoutEffectId } from '../../domain/checkout/effect-id.ts';
import { difference, type AuditNote, type Difference } from '../../domain/difference.ts';
import type { Effect } from '../../domain/effects.ts';
import { deliveryEffectId, type DeliveryFact } from '../../processors/delivery/facts.ts';
import type { CheckoutOrders } from './checkout-orders.ts';

/** Deliveries that are pending according to the facts. */
export class DeliveryBooks {
  /** By effect id: the line that makes it pending. */
  readonly #owed = new Map<string, string>();

  take({ delivery_id, channel, step }: DeliveryFact, where: string): void {
    const id = deliveryEffectId(delivery_id, channel);
    if (step === 'owed') this.#owed.set(id, where);
    else if (step === 'delivered') this.#owed.delete(id);
  }

  /** Reports deliveries that are pending according to the facts but have no effect: they would never be performed. */
  close(effects: ReadonlyMap<string, Effect>, report: (found: Difference) => void): void {
    for (const [id, where] of this.#owed) if (!effects.has(id)) report(forgotten(id, where, null));
  }
}

/** Compares the charges and refunds that are pending according to the orders with the effects. */
export function auditPayments(
  orders: CheckoutOrders,
  effects: ReadonlyMap<string, Effect>,
  report: (found: Difference) => void,
): void {
  for (const orderId of orders.orderIds()) {
    const isCharged = orders.has(orderId, 'paid') || orders.has(orderId, 'declined');
    const charge = orders.has(orderId, 'charge_owed') && !isCharged && !orders.has(orderId, 'not_charged');
    const refund = orders.has(orderId, 'refund_owed') && !orders.has(orderId, 'refunded');
    for (const [kind, isOwed] of [['charge', charge] as const, ['refund', refund] as const]) {
      const id = checkoutEffectId(orderId, kind);
      const effect = effects.get(id);
      if (isOwed && effect === undefined) report(forgotten(id, 'checkout.jsonl', orderId));
      if (isOwed || effect === undefined) continue;
      const message = `the ${kind} of order ${orderId} is pending, but not according to the steps of the order`;
      report(difference('effect_unaccounted', id, { orderId, message }));
    }
  }
}

function forgotten(id: string, where: string, orderId: string | null): Difference {
  const message = `${id} is pending according to ${where}, but no effect performs it`;
  return difference('effect_missing', where, { orderId, message });
}

/** Effects that are not tried any more until a user acts. */
export function parkedNotes(effects: Iterable<Effect>): AuditNote[] {
  return [...effects]
    .filter(({ state }) => state === 'parked')
    .map((effect) => {
      const tries = `${effect.attempts} ${effect.attempts === 1 ? 'try' : 'tries'}`;
      const message = `${effect.id} failed after ${tries} (${codeOf(effect)}): to try once more, redrive its dead letter, or read its record again if the dead letter was discarded`;
      return { kind: 'effect_parked', where: effect.id, message };
    });
}

/** The error code in its dead letter. */
function codeOf({ kind, fields }: Effect): string {
  if (kind === 'refund') return 'refund_outstanding';
  if (kind === 'charge') return fields.may_have_moved === true ? 'charge_unknown' : 'gateway_unavailable';
  return 'delivery_failed';
}
