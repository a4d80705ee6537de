import { message, optional, TIME, type ValueOf } from '../message.ts';

export const SHIPMENT_DISPATCH = message({
  name: 'shipments.dispatch',
  summary: 'a request to dispatch a shipment, in shops that dispatch by hand',
  key: 'order_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['order dispatch'],
  readers: ['warehouse'],
  schema: {
    type: 'record',
    name: 'ShipmentDispatch',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      optional('carrier', 'string', 'null: the shop itself'),
      optional('tracking_number', 'string', 'null: one that follows from the order'),
      { name: 'requested_at', type: TIME },
    ],
  },
});
export type ShipmentDispatch = ValueOf<typeof SHIPMENT_DISPATCH.schema>;
