import { message, optional, type ValueOf } from '../message.ts';
import { STOCK_FIELDS } from './stock-fields.ts';

export const STORE_SALE = message({
  name: 'store_sales',
  summary: 'a sale in a store; it has already happened, and may take stock below zero',
  key: 'product_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['tills', 'produce'],
  readers: ['stock'],
  schema: {
    type: 'record',
    name: 'StoreSale',
    namespace: 'orderctl.stock',
    fields: [...STOCK_FIELDS, optional('store_id', 'string', 'where it was sold')],
  },
});
export type StoreSale = ValueOf<typeof STORE_SALE.schema>;
