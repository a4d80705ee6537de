import { CHECKOUT, has } from '../../domain/checkout/facts.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { SHIPMENT_CREATED, type ShipmentCreated } from '../../domain/messages/checkout/shipment-created.ts';
import { SHIPMENT_DISPATCHED } from '../../domain/messages/checkout/shipment-dispatched.ts';
import { decideEach, type Draft, type Handled } from '../draft.ts';
import type { Processor, Received } from '../processor.ts';

/** Dispatches shipments as they come, but those of orders that were cancelled meanwhile. */
export function warehouse(): Processor<ShipmentCreated, Handled> {
  return {
    name: 'warehouse',
    sources: [SHIPMENT_CREATED],
    emits: [SHIPMENT_DISPATCHED],
    keys: (received) => ({ facts: new Map([[CHECKOUT, received.map(({ message }) => message.order_id)]]) }),
    decide: (received, state) => decideEach(received, state, decide),
  };
}

function decide({ message, traceparent }: Received<ShipmentCreated>, draft: Draft): Handled {
  const { order_id, customer_id, items, shipping_address } = message;
  const { at } = draft.state;
  const facts = draft.facts(CHECKOUT, order_id);
  if (has(facts, 'dispatched')) return { kind: 'seen', about: order_id, detail: 'it was dispatched before' };
  if (has(facts, 'cancelled')) return { kind: 'ignored', about: order_id, detail: 'it was cancelled' };
  // There is no carrier behind this: the number only has to be one for each order.
  const parcel = { carrier: 'own', tracking_number: `OWN-${order_id}` };
  draft.append(CHECKOUT, { order_id, at: isoTime(at), step: 'dispatched', ...parcel });
  const dispatched = { order_id, customer_id, items, shipping_address, ...parcel, dispatched_at: at };
  draft.send(SHIPMENT_DISPATCHED, dispatched, [order_id], traceparent);
  return { kind: 'handled', about: order_id, detail: `dispatched as ${parcel.tracking_number}` };
}
