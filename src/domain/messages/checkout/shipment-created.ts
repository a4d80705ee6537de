import { message, TIME, type ValueOf } from '../message.ts';
import { LINES } from './lines.ts';

export const SHIPMENT_CREATED = message({
  name: 'shipments.created',
  summary: 'a paid order with reserved stock, ready to be shipped',
  key: 'order_id',
  partitions: 6,
  retentionDays: 30,
  writers: ['inventory'],
  readers: ['warehouse', 'notification'],
  schema: {
    type: 'record',
    name: 'ShipmentCreated',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      { name: 'items', type: LINES },
      { name: 'shipping_address', type: 'string' },
      { name: 'created_at', type: TIME },
    ],
  },
});
export type ShipmentCreated = ValueOf<typeof SHIPMENT_CREATED.schema>;
