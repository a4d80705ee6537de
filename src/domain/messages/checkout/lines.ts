import { MONEY } from '../message.ts';

/** What a validated order asks for. */
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
