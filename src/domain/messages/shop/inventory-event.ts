import { message, optional, TIME, type ValueOf } from '../message.ts';

export const INVENTORY_EVENT = message({
  name: 'inventory-events',
  summary: 'a change of stock; one message per change',
  key: 'item',
  partitions: 6,
  retentionDays: 7,
  writers: ['orders', 'inventory', 'stock'],
  readers: [],
  schema: {
    type: 'record',
    name: 'InventoryEvent',
    namespace: 'orderctl',
    fields: [
      { name: 'event_id', type: 'string', doc: 'the same whenever the event is sent again' },
      { name: 'item', type: 'string' },
      {
        name: 'revision',
        type: 'long',
        doc: "counts the item's changes: one with a lower revision is older",
      },
      { name: 'delta', type: 'long' },
      { name: 'on_hand', type: 'long', doc: 'after the change' },
      {
        name: 'cause',
        type: {
          type: 'enum',
          name: 'StockCause',
          symbols: ['sale', 'reservation', 'release', 'restock', 'edit'],
        },
      },
      optional('order_id', 'string', 'the order that it was changed for'),
      { name: 'at', type: TIME },
    ],
  },
});
export type InventoryEvent = ValueOf<typeof INVENTORY_EVENT.schema>;
