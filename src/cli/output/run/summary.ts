import type { RunEvent, RunSummary, ServiceSummary, Totals } from '../../../app/run/events.ts';
import type { RunSummary as Document } from '../../../documents/summary.ts';
import type { Printer } from '../printer.ts';
import { renderTable, type Column } from '../table.ts';
import { count, duration, grouped } from '../text.ts';
import { stoppedInWords } from './stopped-by.ts';

/** The summary under `-o json`. */
export function summaryDocument(
  { stoppedBy, seconds, services }: RunSummary,
  unsent: Extract<RunEvent, { kind: 'unsent' }> | null,
): Document {
  return {
    type: 'summary',
    command: 'run',
    stopped_by: stoppedBy,
    seconds,
    processors: services.map(({ processor, group, totals, skipped, topics }) => ({
      processor,
      group,
      read: totals.read,
      dead_lettered: totals.deadLettered,
      outcomes: totals.outcomes,
      commits: totals.commits,
      skipped,
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, first, next, end, lag }) => ({
          partition,
          first,
          next,
          end,
          lag,
        })),
      })),
    })),
    unsent: Object.fromEntries(unsent?.waiting ?? []),
    effects_owed: unsent?.effects ?? 0,
  };
}

const COLUMNS: readonly Column<ServiceSummary>[] = [
  { title: 'PROCESSOR', align: 'left', cell: (row) => row.processor },
  { title: 'READ', align: 'right', cell: (row) => grouped(row.totals.read) },
  { title: 'DEAD', align: 'right', cell: (row) => grouped(row.totals.deadLettered) },
  { title: 'LAG', align: 'right', cell: (row) => grouped(lagOf(row)) },
  { title: 'OUTCOMES', align: 'left', cell: (row) => outcomesInWords(row.totals) },
];

/** @param isStopAsked whether `orderctl stop` requested the stop */
export function summaryLines(
  { services, stoppedBy, seconds }: RunSummary,
  printer: Printer,
  isStopAsked: boolean,
): string {
  const table = renderTable(services, COLUMNS, {
    width: printer.dataColumns,
    title: (text) => printer.dataColours.bold(text),
  });
  const how = stoppedInWords(stoppedBy, isStopAsked);
  return `${[...table].join('')}${how} after ${duration(seconds * 1000)}\n`;
}

/** `3 accepted, 1 rejected`; counted since `before`, if given. */
export function outcomesInWords(
  { outcomes, deadLettered }: Totals,
  before?: Pick<Totals, 'outcomes' | 'deadLettered'>,
): string {
  const parts = Object.entries(outcomes)
    .map(([name, n]) => [name, n - (before?.outcomes[name] ?? 0)] as const)
    .filter(([, n]) => n > 0)
    .map(([name, n]) => `${grouped(n)} ${name.replaceAll('_', ' ')}`);
  const dead = deadLettered - (before?.deadLettered ?? 0);
  if (dead > 0) parts.push(count(dead, 'dead letter'));
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function lagOf({ topics }: ServiceSummary): number {
  return topics.flatMap(({ partitions }) => partitions).reduce((sum, { lag }) => sum + lag, 0);
}
