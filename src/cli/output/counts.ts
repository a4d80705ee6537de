import type { Counts } from '../../documents/status.ts';
import type { ConsumerStatus } from '../../ports/status.ts';
import { count, grouped } from './text.ts';

export function countsDocument(counts: ConsumerStatus['counts']): Counts {
  const { read, accepted, rejected, duplicates, conflicts, deadLettered } = counts;
  return { read, accepted, rejected, duplicates, conflicts, dead_lettered: deadLettered };
}

/** `3 accepted, 2 rejected, 0 duplicates, 0 conflicts, 0 dead letters` */
export function countsInWords(counts: Omit<ConsumerStatus['counts'], 'read'>): string {
  return [
    `${grouped(counts.accepted)} accepted`,
    `${grouped(counts.rejected)} rejected`,
    count(counts.duplicates, 'duplicate'),
    count(counts.conflicts, 'conflict'),
    count(counts.deadLettered, 'dead letter'),
  ].join(', ');
}
