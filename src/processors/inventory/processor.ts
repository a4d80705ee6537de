import { INVENTORY_REJECTED } from '../../domain/messages/checkout/inventory-rejected.ts';
import { INVENTORY_RESERVED } from '../../domain/messages/checkout/inventory-reserved.ts';
import { ORDER_CANCEL, type OrderCancel } from '../../domain/messages/checkout/order-cancel.ts';
import { ORDER_CANCELLED } from '../../domain/messages/checkout/order-cancelled.ts';
import {
  PAYMENT_PROCESSED,
  type PaymentProcessed,
} from '../../domain/messages/checkout/payment-processed.ts';
import { SHIPMENT_CREATED } from '../../domain/messages/checkout/shipment-created.ts';
import { ALERT } from '../../domain/messages/shop/alert.ts';
import { INVENTORY_EVENT } from '../../domain/messages/shop/inventory-event.ts';
import { CHECKOUT, factOf } from '../../domain/checkout/facts.ts';
import type { StateKeys } from '../../domain/state.ts';
import { Draft, type Handled } from '../draft.ts';
import type { ShopOptions } from '../options.ts';
import { isOf, type Processor, type Received } from '../processor.ts';
import { StockEvents } from '../stock-events.ts';
import { cancel } from './cancel.ts';
import { reserve } from './reserve.ts';

type Message = PaymentProcessed | OrderCancel;

/** Reserves the stock of paid orders completely or not at all, and releases it when they are cancelled. */
export function inventory({ events }: Pick<ShopOptions, 'events'>): Processor<Message, Handled> {
  return {
    name: 'inventory',
    sources: [PAYMENT_PROCESSED, ORDER_CANCEL],
    emits: [
      ...(events === null ? [] : [INVENTORY_EVENT, ALERT]),
      INVENTORY_RESERVED,
      INVENTORY_REJECTED,
      SHIPMENT_CREATED,
      ORDER_CANCELLED,
    ],
    keys,
    decide: (received, state) => {
      const draft = new Draft(state);
      // Revisions are counted even if no events are sent, since inventory.reserved contains them.
      const stock = new StockEvents(events ?? { lowStock: 0 }, state);
      const results = received.map((one) => {
        stock.causedBy(one.traceparent);
        return isOf(one, PAYMENT_PROCESSED)
          ? reserve(one, draft, stock)
          : cancel(one as Received<OrderCancel>, draft, stock);
      });
      const changes = draft.changes();
      const { small, outgoing } =
        events === null ? { small: stock.counted(), outgoing: [] } : stock.announced();
      return {
        changes: { ...changes, small, outgoing: [...outgoing, ...(changes.outgoing ?? [])] },
        results,
      };
    },
  };
}

function keys(received: readonly Received<Message>[]): StateKeys {
  const orders = received.map(({ message }) => message.order_id);
  return {
    orders,
    items: received.flatMap((one) =>
      isOf(one, PAYMENT_PROCESSED) ? one.message.items.map(({ product_id }) => product_id) : [],
    ),
    facts: new Map([[CHECKOUT, orders]]),
    further: (state) => ({
      items: orders.flatMap((id) =>
        (factOf(state.facts(CHECKOUT, id), 'reserved')?.items ?? []).map(({ product_id }) => product_id),
      ),
    }),
  };
}
