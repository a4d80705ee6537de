import { message, optional, type ValueOf } from '../message.ts';
import { STOCK_FIELDS } from './stock-fields.ts';

export const ONLINE_ORDER = message({
  name: 'online_orders',
  summary: 'an online sale; rejected if stock is insufficient',
  key: 'product_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['shops', 'produce'],
  readers: ['stock'],
  schema: {
    type: 'record',
    name: 'OnlineOrder',
    namespace: 'orderctl.stock',
    fields: [...STOCK_FIELDS, optional('order_id', 'string', 'for information')],
  },
});
export type OnlineOrder = ValueOf<typeof ONLINE_ORDER.schema>;
