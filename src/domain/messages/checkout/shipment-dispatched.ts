import { message, TIME, type ValueOf } from '../message.ts';
import { LINES } from './lines.ts';

export const SHIPMENT_DISPATCHED = message({
  name: 'shipments.dispatched',
  summary: 'an order that has left the warehouse',
  key: 'order_id',
  partitions: 6,
  retentionDays: 30,
  writers: ['warehouse'],
  readers: ['notification'],
  schema: {
    type: 'record',
    name: 'ShipmentDispatched',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      { name: 'items', type: LINES },
      { name: 'shipping_address', type: 'string' },
      { name: 'carrier', type: 'string' },
      { name: 'tracking_number', type: 'string' },
      { name: 'dispatched_at', type: TIME },
    ],
  },
});
export type ShipmentDispatched = ValueOf<typeof SHIPMENT_DISPATCHED.schema>;
