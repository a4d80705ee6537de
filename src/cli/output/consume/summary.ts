import type { ConsumeSummary, PartitionProgress } from '../../../app/run/events.ts';
import type { ConsumeSummary as SummaryDocument } from '../../../documents/summary.ts';
import type { Printer } from '../printer.ts';
import { stoppedInWords } from '../run/stopped-by.ts';
import { countsDocument } from '../../../documents/write/status.ts';
import { countsInWords } from '../status.ts';
import { renderTable, type Column } from '../table.ts';
import { count, duration, grouped, wrappedLines } from '../text.ts';

/** The summary under `-o json`, keys in the order of the contract. */
export function summaryDocument(summary: ConsumeSummary): SummaryDocument {
  return {
    type: 'summary',
    command: 'consume',
    ...countsDocument(summary),
    rejected_by_reason: summary.rejectedByReason,
    ignored_prices: summary.ignoredPrices,
    skipped: summary.skipped,
    commits: summary.commits,
    stopped_by: summary.stoppedBy,
    seconds: summary.seconds,
    partitions: summary.partitions.map(({ partition, first, next, end, lag }) => ({
      partition,
      first,
      next,
      end,
      lag,
    })),
  };
}

const COLUMNS: readonly Column<PartitionProgress>[] = [
  { title: 'PARTITION', align: 'right', cell: (row) => String(row.partition) },
  { title: 'FROM', align: 'right', cell: (row) => String(row.first) },
  { title: 'NEXT', align: 'right', cell: (row) => String(row.next) },
  { title: 'END', align: 'right', cell: (row) => String(row.end) },
  { title: 'LAG', align: 'right', cell: (row) => String(row.lag) },
];

/** @param isStopAsked whether `orderctl stop` requested the stop */
export function summaryLines(summary: ConsumeSummary, printer: Printer, isStopAsked: boolean): string {
  const lines = [`read ${count(summary.read, 'record')}: ${countsInWords(summary)}`];
  const reasons = Object.entries(summary.rejectedByReason).map(([reason, n]) => `${reason} ${grouped(n)}`);
  if (reasons.length > 0) lines.push(`rejected: ${reasons.join(', ')}`);
  if (summary.ignoredPrices > 0)
    lines.push(`without a price: ${count(summary.ignoredPrices, 'line')} whose unit_price is not an amount`);
  if (summary.skipped > 0)
    lines.push(`skipped: ${count(summary.skipped, 'record')} by moves of the position`);
  const time = duration(summary.seconds * 1000);
  const how = stoppedInWords(summary.stoppedBy, isStopAsked);
  lines.push(`${how} after ${time}, ${count(summary.commits, 'commit')}`);
  const text = wrappedLines(`${lines.join('\n')}\n`, printer.dataColumns);
  if (summary.partitions.length === 0) return text;
  const table = renderTable(summary.partitions, COLUMNS, {
    width: printer.dataColumns,
    title: (text) => printer.dataColours.bold(text),
  });
  return text + [...table].join('');
}
