import { checkoutEffectId } from '../../domain/checkout/effect-id.ts';
import { difference, type AuditNote, type Difference } from '../../domain/difference.ts';
import type { Effect } from '../../domain/effects.ts';
import { deliveryEffectId, type DeliveryFact } from '../../processors/delivery/facts.ts';
import type { CheckoutOrders } from './checkout-orders.ts';

/** Deliveries that are owed by facts and were not answered. */
export class DeliveryBooks {
  /** By the id of the effect: the line that owes it. */
  readonly #owed = new Map<string, string>();

  take({ delivery_id, channel, step }: DeliveryFact, where: string): void {
    const id = deliveryEffectId(delivery_id, channel);
    if (step === 'owed') this.#owed.set(id, where);
    else if (step === 'delivered') this.#owed.delete(id);
  }

  /** What is owed by its facts and by no effect was forgotten: nobody performs it. */
  close(effects: ReadonlyMap<string, Effect>, report: (found: Difference) => void): void {
    for (const [id, where] of this.#owed) if (!effects.has(id)) report(forgotten(id, where, null));
  }
}

/** Compares what orders owe with the effects that are to perform it. */
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
      const message = `the ${kind} of order ${orderId} is owed, though by the steps of the order it is not`;
      report(difference('effect_unaccounted', id, { orderId, message }));
    }
  }
}

function forgotten(id: string, where: string, orderId: string | null): Difference {
  const message = `${id} is owed by ${where} and was not answered, but no effect performs it`;
  return difference('effect_missing', where, { orderId, message });
}

/** What is not tried any more: it waits for somebody. */
export function parkedNotes(effects: Iterable<Effect>): AuditNote[] {
  return [...effects]
    .filter(({ state }) => state === 'parked')
    .map((effect) => {
      const tries = `${effect.attempts} ${effect.attempts === 1 ? 'try' : 'tries'}`;
      const message = `${effect.id} came to nothing after ${tries} (${codeOf(effect)}): its dead letter, redriven, is one more try; so is its record, read again, where the letter was discarded`;
      return { kind: 'effect_parked', where: effect.id, message };
    });
}

/** As its dead letter has it. */
function codeOf({ kind, fields }: Effect): string {
  if (kind === 'refund') return 'refund_outstanding';
  if (kind === 'charge') return fields.may_have_moved === true ? 'charge_unknown' : 'gateway_unavailable';
  return 'delivery_failed';
}
