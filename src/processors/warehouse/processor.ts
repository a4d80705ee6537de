import { checkoutEffectId } from '../../domain/checkout/effect-id.ts';
import { CHECKOUT, factOf, has, placedOf, type Line } from '../../domain/checkout/facts.ts';
import { statusOf } from '../../domain/checkout/status.ts';
import { newEffect, type Answer, type Effect } from '../../domain/effects.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { SHIPMENT_CREATED, type ShipmentCreated } from '../../domain/messages/checkout/shipment-created.ts';
import {
  SHIPMENT_DISPATCH,
  type ShipmentDispatch,
} from '../../domain/messages/checkout/shipment-dispatch.ts';
import { SHIPMENT_DISPATCHED } from '../../domain/messages/checkout/shipment-dispatched.ts';
import type { RecordId } from '../../domain/orders/order.ts';
import { decideEach, settleEach, type Draft, type Handled } from '../draft.ts';
import type { ShopOptions } from '../options.ts';
import { isOf, type EffectHandler, type Processor, type Received } from '../processor.ts';
import { afterFault } from '../retries.ts';
import type { DispatchRules } from './rules.ts';

type Message = ShipmentCreated | ShipmentDispatch;

/** Dispatches shipments at once, after a delay or by hand, except those of orders cancelled in the meantime. */
export function warehouse({ dispatch: rules }: Pick<ShopOptions, 'dispatch'>): Processor<Message, Handled> {
  return {
    name: 'warehouse',
    sources: [SHIPMENT_CREATED, SHIPMENT_DISPATCH],
    emits: [SHIPMENT_DISPATCHED],
    keys: (received) => {
      const orders = received.map(({ message }) => message.order_id);
      return {
        facts: new Map([[CHECKOUT, orders]]),
        effects: orders.map((id) => checkoutEffectId(id, 'dispatch')),
      };
    },
    decide: (received, state) =>
      decideEach(received, state, (one, draft) =>
        isOf(one, SHIPMENT_DISPATCH)
          ? requested(one, draft)
          : created(one as Received<ShipmentCreated>, draft, rules),
      ),
    effects: EFFECTS,
  };
}

/** A packed shipment, and the record that caused its dispatch. */
interface Parcel extends RecordId {
  readonly order_id: string;
  readonly customer_id: string;
  readonly items: readonly Line[];
  readonly shipping_address: string;
  readonly carrier: string;
  readonly tracking_number: string;
}

/** The fields of a delayed dispatch: an effect without an external call. */
interface DispatchFields extends Readonly<Record<string, unknown>> {
  readonly parcel: Parcel;
  readonly traceparent: string | null;
}

function created(received: Received<ShipmentCreated>, draft: Draft, rules: DispatchRules): Handled {
  const { message, record, traceparent } = received;
  const { order_id: about } = message;
  const left = notToSend(about, draft);
  if (left !== null) return left;
  if (draft.effect(checkoutEffectId(about, 'dispatch')) !== undefined)
    return { kind: 'seen', about, detail: 'it is already waiting to be dispatched' };
  if (rules.way === 'manual') return { kind: 'handled', about, detail: 'to be dispatched by hand' };
  const { customer_id, items, shipping_address } = message;
  const parcel = { order_id: about, customer_id, items, shipping_address, ...ownParcel(about), ...record };
  if (rules.delayMs === 0) return dispatch(parcel, draft, traceparent);
  const dueAt = message.created_at + rules.delayMs;
  const fields: DispatchFields = { parcel, traceparent };
  draft.change(
    newEffect({ id: checkoutEffectId(about, 'dispatch'), kind: 'dispatch', key: about, fields }, dueAt),
  );
  return { kind: 'handled', about, detail: `to be dispatched at ${isoTime(dueAt)}` };
}

function requested({ message, record, traceparent }: Received<ShipmentDispatch>, draft: Draft): Handled {
  const { order_id: about, carrier, tracking_number } = message;
  const left = notToSend(about, draft);
  if (left !== null) return left;
  const facts = draft.facts(CHECKOUT, about);
  const reserved = factOf(facts, 'reserved');
  const placed = placedOf(facts);
  if (reserved === undefined || placed === undefined)
    return { kind: 'ignored', about, detail: `it is ${statusOf(facts)}: there is nothing to dispatch yet` };
  const { customer_id, shipping_address } = placed;
  const own = ownParcel(about);
  // With a carrier but no tracking number, use the order id: a number with OWN- would mean that the shop delivers it.
  const by =
    carrier === null
      ? { ...own, tracking_number: tracking_number ?? own.tracking_number }
      : { carrier, tracking_number: tracking_number ?? about };
  if (draft.effect(checkoutEffectId(about, 'dispatch')) !== undefined)
    draft.change({ id: checkoutEffectId(about, 'dispatch'), effect: null });
  const { items } = reserved;
  return dispatch(
    { order_id: about, customer_id, items, shipping_address, ...by, ...record },
    draft,
    traceparent,
  );
}

/** A parcel without a carrier: its number only has to be unique per order. */
function ownParcel(orderId: string): Pick<Parcel, 'carrier' | 'tracking_number'> {
  return { carrier: 'own', tracking_number: `OWN-${orderId}` };
}

function notToSend(about: string, draft: Draft): Handled | null {
  const facts = draft.facts(CHECKOUT, about);
  if (has(facts, 'dispatched')) return { kind: 'seen', about, detail: 'it was dispatched before' };
  if (has(facts, 'cancelled')) return { kind: 'ignored', about, detail: 'it was cancelled' };
  return null;
}

function dispatch(parcel: Parcel, draft: Draft, traceparent: string | null): Handled {
  const { order_id, customer_id, items, shipping_address, carrier, tracking_number, ...record } = parcel;
  const { at } = draft.state;
  const by = { carrier, tracking_number };
  draft.append(CHECKOUT, { order_id, at: isoTime(at), ...record, step: 'dispatched', ...by });
  const dispatched = { order_id, customer_id, items, shipping_address, ...by, dispatched_at: at };
  draft.send(SHIPMENT_DISPATCHED, dispatched, [order_id], traceparent);
  return { kind: 'handled', about: order_id, detail: `dispatched as ${tracking_number}` };
}

const EFFECTS: EffectHandler = {
  kinds: ['dispatch'],
  keys: (effects) => ({
    facts: new Map([[CHECKOUT, effects.map((effect) => fieldsOf(effect).parcel.order_id)]]),
  }),
  settle: (answered, state) => settleEach(answered, state, settle),
};

function settle(effect: Effect, answer: Answer, draft: Draft): void {
  const { parcel, traceparent } = fieldsOf(effect);
  if (answer.kind === 'failed') {
    draft.change({ id: effect.id, effect: afterFault(effect, draft.state.at) });
    return;
  }
  draft.change({ id: effect.id, effect: null });
  if (notToSend(parcel.order_id, draft) === null) dispatch(parcel, draft, traceparent);
}

function fieldsOf({ fields }: Effect): DispatchFields {
  return fields as DispatchFields;
}
