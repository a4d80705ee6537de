import type { DeclaredMessage } from '../message.ts';

/** Dead letters of the stock processor. Those of all other processors go to the topics named by deadLettersOf. */
export const STOCK_DEAD_LETTERS: DeclaredMessage = {
  name: 'dlq',
  summary: 'stock events that could not be read or applied, unchanged, with the reason in headers',
  key: null,
  partitions: 3,
  retentionDays: 30,
  writers: ['stock'],
  readers: [],
  schema: null,
};
