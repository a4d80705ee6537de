import { checkoutEffectId } from '../../domain/checkout/effect-id.ts';
import { CHECKOUT, factOf, has } from '../../domain/checkout/facts.ts';
import { newEffect, type Answer, type Effect } from '../../domain/effects.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { INVENTORY_REJECTED } from '../../domain/messages/checkout/inventory-rejected.ts';
import { ORDER_CANCELLED } from '../../domain/messages/checkout/order-cancelled.ts';
import { ORDER_VALIDATED } from '../../domain/messages/checkout/order-validated.ts';
import { PAYMENT_FAILED } from '../../domain/messages/checkout/payment-failed.ts';
import { PAYMENT_PROCESSED } from '../../domain/messages/checkout/payment-processed.ts';
import { PAYMENT_REFUNDED } from '../../domain/messages/checkout/payment-refunded.ts';
import { setAside } from '../../domain/messages/outgoing.ts';
import { restoredAt } from '../../domain/messages/restored.ts';
import type { RecordId } from '../../domain/orders/order.ts';
import { settleEach, type Draft } from '../draft.ts';
import type { EffectHandler, Received } from '../processor.ts';
import { afterFault, afterFlight, dueAgain, parked } from '../retries.ts';
import type { PaymentRules } from './rules.ts';

type Money = 'charge' | 'refund';

/** The fields of a charge or a refund. */
export interface PaymentFields extends Readonly<Record<string, unknown>> {
  readonly order_id: string;
  readonly customer_id: string;
  /** A decimal string with two places. */
  readonly amount: string;
  /** Why it is refunded; null for a charge. */
  readonly reason: string | null;
  /** The order must not be charged any more; only look up whether it was. */
  readonly only_look_up: boolean;
  /** After the last answered try, it is unknown whether money has moved. */
  readonly may_have_moved: boolean;
  /**
   * The store may have lost this charge, and a refund of it, when it was restored: look up too whether it was refunded
   * since.
   */
  readonly may_be_refunded: boolean;
  /** The number of tries at the last answer. An unanswered try may have moved money too. */
  readonly answered: number;
  /** The name of the message that requested the charge or refund. */
  readonly source: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly record: RecordId;
  readonly traceparent: string | null;
}

export function paymentFields({ fields }: Effect): PaymentFields {
  return fields as PaymentFields;
}

/** When its message was created, which precedes every try, even one lost in a restore; null: not known. */
export function askedAt(effect: Effect): number | null {
  const { validated_at, rejected_at, decided_at } = paymentFields(effect).message;
  const at = validated_at ?? rejected_at ?? decided_at;
  return typeof at === 'number' ? at : null;
}

/** The idempotency key of the refund of a charge. */
export function refundKeyOf({ key }: Effect): string {
  return key.replace(/:charge$/, ':refund');
}

/**
 * Whether the store was restored to an earlier state since.
 *
 * @param askedAt milliseconds since the epoch; null: unknown
 */
export function isForgotten(askedAt: number | null, { state }: Draft): boolean {
  return (askedAt ?? 0) <= (restoredAt(state) ?? -1);
}

/** Adds a new charge or refund to a draft. */
export function owe(
  draft: Draft,
  kind: Money,
  asked: Pick<PaymentFields, 'order_id' | 'customer_id' | 'amount' | 'reason'>,
  by: Pick<Received<object>, 'source' | 'message' | 'record' | 'traceparent'>,
  { onlyLookUp = false } = {},
): void {
  const { order_id, customer_id, amount, reason } = asked;
  const { source, record, traceparent } = by;
  const message = by.message as Readonly<Record<string, unknown>>;
  // Written out: see newEffect.
  const fields: PaymentFields = {
    order_id,
    customer_id,
    amount,
    reason,
    only_look_up: onlyLookUp,
    may_have_moved: false,
    may_be_refunded: false,
    answered: 0,
    source,
    message,
    record,
    traceparent,
  };
  const key = `${draft.state.storeId}:${order_id}:${kind}`;
  draft.change(newEffect({ id: checkoutEffectId(order_id, kind), kind, key, fields }, draft.state.at));
  const at = isoTime(draft.state.at);
  draft.append(
    CHECKOUT,
    kind === 'charge'
      ? { order_id, at, ...record, amount, step: 'charge_owed' }
      : { order_id, at, ...record, amount, step: 'refund_owed', reason: reason ?? '' },
  );
}

export function effectsBy(rules: PaymentRules): EffectHandler {
  return {
    kinds: ['charge', 'refund'],
    keys: (effects) => {
      const orders = effects.map((effect) => paymentFields(effect).order_id);
      return {
        facts: new Map([[CHECKOUT, orders]]),
        effects: orders.map((order) => checkoutEffectId(order, 'refund')),
      };
    },
    settle: (answered, state) =>
      settleEach(answered, state, (effect, answer, draft) => {
        if (answer.kind === 'failed') settleFault(draft, effect, answer, rules);
        else if (effect.kind === 'charge') settleCharge(draft, effect, answer.fields);
        else settleRefund(draft, effect, answer.fields);
      }),
  };
}

/** @param answer with `outcome`: paid, declined, or none if a look-up found no charge */
function settleCharge(draft: Draft, effect: Effect, { outcome, reference, reason }: AnswerFields): void {
  const { order_id, customer_id, amount, message, record, source, traceparent, may_be_refunded } =
    paymentFields(effect);
  const { attempts } = effect;
  const { at } = draft.state;
  const facts = draft.facts(CHECKOUT, order_id);
  const isCancelled = has(facts, 'cancelled');
  // Known before the charge only if the store was restored in between.
  const refused = factOf(facts, 'gone') ?? factOf(facts, 'rejected');
  const isEnded = isCancelled || refused !== undefined;
  if (outcome === 'paid' && !isEnded && !may_be_refunded && isForgotten(askedAt(effect), draft)) {
    // Even if there is stock this time, an order that was refunded since must not be shipped for free.
    const fields = { ...effect.fields, may_be_refunded: true, answered: attempts };
    draft.change({ id: effect.id, effect: dueAgain({ ...effect, fields }, at) });
    return;
  }
  draft.change({ id: effect.id, effect: null });
  if (outcome === 'paid') {
    const paid = { reference: textOf(reference) ?? '' };
    const { items, shipping_address } = factOf(facts, 'validated') ?? NOTHING;
    draft.append(CHECKOUT, { order_id, at: isoTime(at), ...record, amount, attempts, step: 'paid', ...paid });
    draft.send(
      PAYMENT_PROCESSED,
      { order_id, customer_id, amount, ...paid, attempts, items, shipping_address, processed_at: at },
      [order_id],
      traceparent,
    );
    if (isEnded) {
      const refund = { order_id, customer_id, amount, reason: refused?.reason ?? 'cancelled' };
      owe(draft, 'refund', refund, { source, message, record, traceparent });
    }
    return;
  }
  if (outcome !== 'declined') {
    draft.append(CHECKOUT, { order_id, at: isoTime(at), ...record, step: 'not_charged' });
    return;
  }
  const declined = { reference: textOf(reference), reason: textOf(reason) ?? 'declined' };
  draft.append(CHECKOUT, {
    order_id,
    at: isoTime(at),
    ...record,
    amount,
    attempts,
    step: 'declined',
    ...declined,
  });
  // The customer was already notified of the cancellation or rejection.
  if (isCancelled || refused?.step === 'rejected') return;
  const failed = { order_id, customer_id, amount, ...declined, attempts, failed_at: at };
  draft.send(PAYMENT_FAILED, failed, [order_id], traceparent);
}

const NOTHING = { items: [], shipping_address: '' };

function settleRefund(
  draft: Draft,
  effect: Effect,
  { outcome, reference, reason: refused }: AnswerFields,
): void {
  const { order_id, customer_id, amount, reason: cause, record, traceparent } = paymentFields(effect);
  if (outcome !== 'paid') {
    giveUp(
      draft,
      effect,
      'refund_outstanding',
      `the gateway refused the refund: ${textOf(refused) ?? 'no reason given'}`,
    );
    return;
  }
  const { at } = draft.state;
  const refunded = {
    order_id,
    amount,
    reference: textOf(reference) ?? '',
    reason: cause ?? '',
    attempts: effect.attempts,
  };
  draft.change({ id: effect.id, effect: null });
  draft.append(CHECKOUT, { ...refunded, at: isoTime(at), ...record, step: 'refunded' });
  draft.send(PAYMENT_REFUNDED, { ...refunded, customer_id, refunded_at: at }, [order_id], traceparent);
}

type AnswerFields = Readonly<Record<string, unknown>>;

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function settleFault(
  draft: Draft,
  effect: Effect,
  answer: Extract<Answer, { kind: 'failed' }>,
  { pausesMs }: PaymentRules,
): void {
  const known = paymentFields(effect);
  const facts = draft.facts(CHECKOUT, known.order_id);
  const isCancelled = effect.kind === 'charge' && has(facts, 'cancelled', 'gone', 'rejected');
  const fields: PaymentFields = {
    ...known,
    may_have_moved: answer.isUnknown,
    answered: effect.attempts,
    only_look_up: known.only_look_up || isCancelled,
  };
  const next = afterFault({ ...effect, fields }, draft.state.at, pausesMs);
  if (next.state !== 'parked') {
    const { at } = draft.state;
    draft.change({ id: effect.id, effect: fields.only_look_up ? afterFlight(next, at) : next });
    return;
  }
  const unanswered = answer.isUnknown ? 'charge_unknown' : 'gateway_unavailable';
  const code = effect.kind === 'refund' ? 'refund_outstanding' : unanswered;
  giveUp(draft, { ...effect, fields }, code, answer.message);
}

function giveUp(draft: Draft, effect: Effect, code: string, detail: string): void {
  const { source, message, record, traceparent } = paymentFields(effect);
  draft.change({ id: effect.id, effect: parked(effect) });
  const why = { code, message: detail, attempts: effect.attempts, processor: 'payment', record } as const;
  const of = [ORDER_VALIDATED, INVENTORY_REJECTED, ORDER_CANCELLED].find(({ name }) => name === source);
  const cause = { at: draft.state.at, traceparent, asked: effect.kind };
  draft.sendAside(setAside(of ?? ORDER_VALIDATED, message, why, cause));
}
