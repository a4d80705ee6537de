import { MONEY, optional, TIME } from '../message.ts';

/** The fields that all stock events have. */
export const STOCK_FIELDS = [
  { name: 'event_id', type: 'string', doc: 'counts once, however often it is sent' },
  { name: 'product_id', type: 'string' },
  { name: 'quantity', type: 'int' },
  { name: 'occurred_at', type: TIME },
  optional('unit_price', MONEY, 'as it was sold or bought'),
] as const;
