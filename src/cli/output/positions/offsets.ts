import { isMove } from '../../../app/offsets/plan.ts';
import type { ResetEvent, ResetResult } from '../../../app/offsets/reset.ts';
import type { OffsetsView, PartitionOffsets } from '../../../app/offsets/show.ts';
import type { Offsets, OffsetsReset } from '../../../documents/offsets.ts';
import type { Session } from '../../session.ts';
import type { MessageLine } from '../consume/decision-throttle.ts';
import { aheadLine, printGroupEvent } from './group-events.ts';
import { clampLines, moveLines } from './moved.ts';
import type { Printer } from '../printer.ts';
import { openCsv } from '../csv.ts';
import { printTable } from '../print-table.ts';
import type { Column } from '../table.ts';
import { count, grouped } from '../text.ts';

function numbers<Row>(columns: readonly (readonly [string, (row: Row) => number | null])[]): Column<Row>[] {
  return columns.map(([title, cell]) => ({
    title,
    align: 'right',
    cell: (row) => String(cell(row) ?? 'none'),
  }));
}

const SHOWN = numbers<PartitionOffsets>([
  ['PARTITION', (row) => row.partition],
  ['START', (row) => row.start],
  ['COMMITTED', (row) => row.committed],
  ['STORED', (row) => row.stored],
  ['END', (row) => row.end],
  ['LAG', (row) => row.lag],
]);

export async function printOffsets({ printer, isJson, isCsv }: Session, view: OffsetsView): Promise<void> {
  const { topic, group, partitions, ahead } = view;
  if (ahead.length > 0) printer.warn(aheadLine(topic, group, ahead));
  printer.messages(partitions.flatMap((entry) => oddities(topic, group, entry, ahead)));
  const state = snakeCase(view.groupState);
  const totalLag = partitions.reduce((sum, { lag }) => sum + lag, 0);
  const rows = partitions.map(({ partition, start, committed, stored, end, lag }) => ({
    ...{ partition, start, committed, stored, end, lag },
  }));
  if (isCsv) {
    await (
      await openCsv(printer, ['partition', 'start', 'committed', 'stored', 'end', 'lag'])
    )(rows);
    return;
  }
  if (isJson) {
    const document: Offsets = { topic, group, group_state: state, total_lag: totalLag, partitions: rows };
    await printer.data(`${JSON.stringify(document)}\n`);
    return;
  }
  // Kafka's word for a group that it does not know.
  const words = state === 'dead' ? 'does not exist yet' : state.replaceAll('_', ' ');
  await printer.data(`topic ${topic}, group ${group} (${words}): lag ${grouped(totalLag)}\n`);
  await printTable(printer, partitions, SHOWN);
}

/** What the numbers of a partition do not say by themselves. */
function oddities(
  topic: string,
  group: string,
  { partition, start, stored, end, current }: PartitionOffsets,
  ahead: OffsetsView['ahead'],
): MessageLine[] {
  const lines: MessageLine[] = [];
  const place = `${topic}/${partition}`;
  if (stored !== null && current !== stored && !ahead.some((entry) => entry.partition === partition)) {
    const text = `${place}: another tool moved group ${group} to ${current}; the next orderctl consume continues there`;
    lines.push({ level: 'warn', text });
  }
  if (stored !== null && (stored < start || stored > end)) {
    const text = `${place}: the topic holds ${start} to ${end}, and the stored position ${stored} is not in it: consume will stop there; see orderctl doctor`;
    lines.push({ level: 'warn', text });
  }
  return lines;
}

/** Kafka's PreparingRebalance, by the custom of our documents. */
function snakeCase(state: string): string {
  return state.replace(/(?<=[a-z])[A-Z]/g, '_$&').toLowerCase();
}

type Moved = ResetResult['partitions'][number];

const MOVED = numbers<Moved>([
  ['PARTITION', (row) => row.partition],
  ['BEFORE', (row) => row.before],
  ['AFTER', (row) => row.after],
  ['START', (row) => row.start],
  ['END', (row) => row.end],
  ['LAG', (row) => row.end - row.after],
  ['READ AGAIN', (row) => row.readAgain],
  ['SKIPPED', (row) => row.skipped],
]);

export function printResetEvent(printer: Printer, event: ResetEvent): void {
  switch (event.kind) {
    case 'notice':
    case 'ghost_removed':
    case 'copy_suspected':
      printGroupEvent(printer, event);
      break;
    case 'in_use':
      printer.warn(`in use by ${event.by}: with --execute this would be refused (4) until that has stopped`);
      break;
    case 'owner_unknown':
      printer.warn(`whether a consumer runs is not known: ${event.failure.message}`);
      break;
  }
}

const RESET_CSV_COLUMNS = ['partition', 'before', 'after', 'start', 'end', 'read_again', 'skipped'];

/** @param to what was asked for, as it was put */
export async function printReset(session: Session, result: ResetResult, to: string): Promise<void> {
  const { printer, isJson, isCsv } = session;
  printer.messages(warningsOf(result));
  if (isCsv) {
    const { partitions } = resetDocument(result, to);
    await (
      await openCsv(printer, RESET_CSV_COLUMNS)
    )(partitions);
    printer.info(lastLine(result));
    return;
  }
  if (isJson) {
    await printer.data(`${JSON.stringify(resetDocument(result, to))}\n`);
    return;
  }
  await printTable(printer, result.partitions, MOVED);
  await printer.data(`${printer.rephrased(lastLine(result))}\n`);
}

function warningsOf({ topic, partitions, executed }: ResetResult): ReturnType<typeof moveLines> {
  const lines = partitions.flatMap((move) =>
    move.cause === 'reset' ? clampLines(topic, move) : moveLines(topic, move),
  );
  const skipped = partitions.reduce((sum, move) => sum + move.skipped, 0);
  if (skipped === 0) return lines;
  const text = `${count(skipped, 'record')} ${executed ? 'are' : 'would be'} skipped: they are not read`;
  return [...lines, { level: 'warn', text }];
}

function lastLine({ executed, undoFile, partitions, topic, group }: ResetResult): string {
  if (!executed) return 'nothing changed; add --execute';
  const moved = partitions.filter(isMove).length;
  if (moved === 0) return 'nothing changed: every partition is there already';
  const undo =
    undoFile === null ? '' : `; to take it back: orderctl offsets undo --execute (kept in ${undoFile})`;
  return `moved ${count(moved, 'partition')} of ${topic}, with group ${group}${undo}`;
}

function resetDocument(
  { topic, group, executed, undoFile, partitions }: ResetResult,
  to: string,
): OffsetsReset {
  return {
    topic,
    group,
    to,
    executed,
    undo_file: undoFile,
    partitions: partitions.map(({ partition, before, after, start, end, readAgain, skipped }) => ({
      ...{ partition, before, after, start, end },
      read_again: readAgain,
      skipped,
    })),
  };
}
