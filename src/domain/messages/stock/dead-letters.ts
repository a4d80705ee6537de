import type { DeclaredMessage } from '../message.ts';

/** Of the processor stock alone; the dead letters of every other go to the topic that deadLettersOf names. */
export const STOCK_DEAD_LETTERS: DeclaredMessage = {
  name: 'dlq',
  summary: 'stock events that could not be read or applied, as they came, with the reason in headers',
  key: null,
  partitions: 3,
  retentionDays: 30,
  writers: ['stock'],
  readers: [],
  schema: null,
};
