import { message, MONEY, TIME } from '../message.ts';

/** Decoded to `Order` of ../../orders/order.ts by a codec written by hand. */
export const ORDER = message({
  name: 'orders',
  summary: 'an order that is accepted or rejected at once, by users and stock',
  key: 'order_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['produce', 'API'],
  readers: ['orders'],
  schema: {
    type: 'record',
    name: 'Order',
    namespace: 'orderctl',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'user', type: 'string', aliases: ['customer_id'] },
      {
        name: 'items',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'OrderItem',
            fields: [
              { name: 'item', type: 'string', aliases: ['product_id'] },
              { name: 'quantity', type: 'int' },
              { name: 'unit_price', type: ['null', MONEY], default: null },
            ],
          },
        },
      },
      { name: 'created_at', type: TIME },
    ],
  },
});
