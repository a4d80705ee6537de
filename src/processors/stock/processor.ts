import { EVENTS_LOG, type SourceMessage } from '../../domain/stock/events.ts';
import { ALERT } from '../../domain/messages/shop/alert.ts';
import { INVENTORY_EVENT } from '../../domain/messages/shop/inventory-event.ts';
import { INVENTORY_UPDATE } from '../../domain/messages/stock/inventory-update.ts';
import { ONLINE_ORDER } from '../../domain/messages/stock/online-order.ts';
import { STORE_SALE } from '../../domain/messages/stock/store-sale.ts';
import { SUPPLIER_RESTOCK } from '../../domain/messages/stock/supplier-restock.ts';
import { Draft, type Handled } from '../draft.ts';
import type { ShopOptions } from '../options.ts';
import type { Processor, Refused } from '../processor.ts';
import { StockEvents } from '../stock-events.ts';
import { decide } from './decide.ts';

/** Maintains one stock for online sales, store sales and deliveries by suppliers. */
export function stock({ events }: Pick<ShopOptions, 'events'>): Processor<SourceMessage, Handled | Refused> {
  return {
    name: 'stock',
    sources: [ONLINE_ORDER, STORE_SALE, SUPPLIER_RESTOCK],
    emits: [...(events === null ? [] : [INVENTORY_EVENT, ALERT]), INVENTORY_UPDATE],
    keepsRaw: true,
    keys: (received) => ({
      items: received.map(({ message }) => message.product_id),
      facts: new Map([[EVENTS_LOG, received.map(({ message }) => message.event_id)]]),
    }),
    decide: (received, state) => {
      const draft = new Draft(state);
      // Revisions are counted even if no events are sent, since inventory_updates contains them.
      const changes = new StockEvents(events ?? { lowStock: 0 }, state);
      const results = received.map((one) => {
        changes.causedBy(one.traceparent);
        return decide(one, draft, changes);
      });
      const drafted = draft.changes();
      const { small, outgoing } =
        events === null ? { small: changes.counted(), outgoing: [] } : changes.announced();
      return {
        changes: { ...drafted, small, outgoing: [...outgoing, ...(drafted.outgoing ?? [])] },
        results,
      };
    },
  };
}
