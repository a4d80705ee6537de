import { message, MONEY, TIME, type ValueOf } from '../message.ts';

/**
 * The schema is exactly the one of the com.tutorial.orders examples, so that a producer written for them with
 * confluent-kafka's AvroSerializer finds it registered.
 */
export const ORDER_CREATED = message({
  name: 'orders.created',
  summary: 'an order as the customer placed it',
  key: 'order_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['API', 'produce'],
  readers: ['validation'],
  schema: {
    type: 'record',
    name: 'OrderCreated',
    namespace: 'com.tutorial.orders',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      {
        name: 'items',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'OrderItem',
            fields: [
              { name: 'product_id', type: 'string' },
              { name: 'quantity', type: 'int' },
              { name: 'unit_price', type: MONEY },
            ],
          },
        },
      },
      { name: 'total_amount', type: MONEY },
      { name: 'shipping_address', type: 'string' },
      { name: 'created_at', type: TIME },
    ],
  },
});
export type OrderCreated = ValueOf<typeof ORDER_CREATED.schema>;
