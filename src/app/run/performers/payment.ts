import type { Answer, Effect } from '../../../domain/effects.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Attempt, EffectPerformers } from '../../../ports/effects.ts';
import type { Gateway, GatewayFault, PaymentAnswer } from '../../../ports/outside/gateway.ts';
import { askedAt, paymentFields, refundKeyOf } from '../../../processors/payment/effects.ts';

export interface PaymentPorts {
  readonly gateway: Gateway;
  readonly clock: Clock;
  /** After so long the gateway may have forgotten a key, and would charge it again. */
  readonly keyTtlMs: number;
}

/**
 * Moves the money that the processor `payment` owes or is owed. Before it tries again what may have moved money, it
 * looks up what became of the first try: so a lost answer is found, and nothing is charged twice.
 */
export function paymentPerformers({ gateway, clock, keyTtlMs }: PaymentPorts): EffectPerformers {
  const perform =
    (move: Gateway['charge']) =>
    async (effect: Effect, { signal, isOver }: Attempt): Promise<Answer> => {
      const asked = paymentFields(effect);
      const { order_id, customer_id, amount, only_look_up, may_have_moved, answered, traceparent } = asked;
      const wasLost = may_have_moved || effect.attempts > answered + 1;
      // A store that was restored from a backup does not know about tries since.
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
      // Another may have asked by now, so long ago that the gateway has forgotten it again.
      if (isOver()) {
        return {
          kind: 'failed',
          message: 'its time was over before the gateway was asked',
          isUnknown: wasLost,
        };
      }
      const of = { orderId: order_id, customerId: customer_id, amount };
      const payment = { key: effect.key, ...of, traceparent: traceparent ?? null };
      const answer = answerOf(await move(payment, signal));
      // That a call did not arrive says nothing about those before it, which may still arrive.
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
