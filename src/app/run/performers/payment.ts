import type { Answer, Effect } from '../../../domain/effects.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Attempt, EffectPerformers } from '../../../ports/effects.ts';
import type { Gateway, GatewayFault, PaymentAnswer } from '../../../ports/outside/gateway.ts';
import { askedAt, paymentFields, refundKeyOf } from '../../../processors/payment/effects.ts';

export interface PaymentPorts {
  readonly gateway: Gateway;
  readonly clock: Clock;
  /** After this long, the gateway may have forgotten an idempotency key and would charge again. */
  readonly keyTtlMs: number;
}

/**
 * Performs the charges and refunds of the processor `payment`. Before it retries a call that may have moved money, it
 * looks up the outcome of the earlier call: an answer that was lost is found, and nothing is charged twice.
 */
export function paymentPerformers({ gateway, clock, keyTtlMs }: PaymentPorts): EffectPerformers {
  const perform =
    (move: Gateway['charge']) =>
    async (effect: Effect, { signal, isOver }: Attempt): Promise<Answer> => {
      const asked = paymentFields(effect);
      const { order_id, customer_id, amount, only_look_up, may_have_moved, answered, traceparent } = asked;
      const wasLost = may_have_moved || effect.attempts > answered + 1;
      // A store that was restored from a backup does not know about tries after the backup.
      const since = Math.min(effect.firstTriedAt ?? Infinity, askedAt(effect) ?? Infinity);
      const mayBeForgotten = clock.now() - since >= keyTtlMs;
      if (only_look_up || wasLost || mayBeForgotten || asked.may_be_refunded) {
        const found = await gateway.lookUp(effect.key, signal);
        if (found?.kind === 'fault') {
          return { kind: 'failed', message: found.message, isUnknown: wasLost };
        }
        const refund = asked.may_be_refunded ? await gateway.lookUp(refundKeyOf(effect), signal) : null;
        if (refund?.kind === 'fault') return { kind: 'failed', message: refund.message, isUnknown: true };
        if (refund?.kind === 'paid') return answerOf({ ...refund, kind: 'declined', reason: 'refunded' });
        if (found !== null) return answerOf(found);
        if (only_look_up) return { kind: 'done', fields: { outcome: 'none' } };
      }
      // By now another try may have been made, so long ago that the gateway has forgotten it.
      if (isOver()) {
        return {
          kind: 'failed',
          message: 'the lease ended before the gateway was called',
          isUnknown: wasLost,
        };
      }
      const of = { orderId: order_id, customerId: customer_id, amount };
      const payment = { key: effect.key, ...of, traceparent: traceparent ?? null };
      const answer = answerOf(await move(payment, signal));
      // That this call did not arrive says nothing about earlier calls, which may still arrive.
      return answer.kind === 'failed' ? { ...answer, isUnknown: answer.isUnknown || wasLost } : answer;
    };
  const { atOnce } = gateway;
  return {
    charge: { atOnce, perform: perform((payment, signal) => gateway.charge(payment, signal)) },
    refund: { atOnce, perform: perform((payment, signal) => gateway.refund(payment, signal)) },
  };
}

function answerOf(answer: PaymentAnswer | GatewayFault): Answer {
  switch (answer.kind) {
    case 'fault':
      return { kind: 'failed', message: answer.message, isUnknown: answer.isUnknown };
    case 'paid':
      return { kind: 'done', fields: { outcome: 'paid', reference: answer.reference } };
    case 'declined':
      return {
        kind: 'done',
        fields: { outcome: 'declined', reason: answer.reason, reference: answer.reference },
      };
  }
}
