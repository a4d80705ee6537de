import { message, optional, type ValueOf } from '../message.ts';
import { STOCK_FIELDS } from './stock-fields.ts';

export const SUPPLIER_RESTOCK = message({
  name: 'supplier_restocks',
  summary: 'goods that a supplier has delivered',
  key: 'product_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['suppliers', 'produce'],
  readers: ['stock'],
  schema: {
    type: 'record',
    name: 'SupplierRestock',
    namespace: 'orderctl.stock',
    fields: [...STOCK_FIELDS, optional('supplier_id', 'string', 'who delivered it')],
  },
});
export type SupplierRestock = ValueOf<typeof SUPPLIER_RESTOCK.schema>;
