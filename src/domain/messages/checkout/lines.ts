import { MONEY } from '../message.ts';

/** The lines of a validated order. */
export const LINES = {
  type: 'array',
  items: {
    type: 'record',
    name: 'Line',
    fields: [
      { name: 'product_id', type: 'string' },
      { name: 'quantity', type: 'int' },
      { name: 'unit_price', type: MONEY },
    ],
  },
} as const;
