import { isMove } from '../../../app/offsets/plan.ts';
import type { MovedPartition, ResetEvent, ResetResult } from '../../../app/offsets/reset.ts';
import type { OffsetsView, PartitionOffsets } from '../../../app/offsets/show.ts';
import type { ProcessorTopics } from '../../../app/offsets/group-positions.ts';
import type { Offsets, OffsetsReset } from '../../../documents/offsets.ts';
import type { Session } from '../../session.ts';
import type { MessageLine } from '../consume/decision-throttle.ts';
import { aheadLine, printGroupEvent } from './group-events.ts';
import { clampLines, moveLines } from './moved.ts';
import type { Printer } from '../printer.ts';
import { openCsv } from '../csv.ts';
import { printTable } from '../print-table.ts';
import type { Column } from '../table.ts';
import { count, grouped, onlyTopic } from '../text.ts';

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

/** Adds a topic column first, if the partitions are of several topics. */
function withTopics<Row extends { readonly topic: string }>(
  { topics }: ProcessorTopics,
  columns: readonly Column<Row>[],
): readonly Column<Row>[] {
  return topics.length === 1 ? columns : [{ title: 'TOPIC', cell: ({ topic }) => topic }, ...columns];
}

function topicWords({ topics }: ProcessorTopics): string {
  return `${topics.length === 1 ? 'topic' : 'topics'} ${topics.join(', ')}`;
}

export async function printOffsets({ printer, isJson, isCsv }: Session, view: OffsetsView): Promise<void> {
  const { processor, group, partitions, ahead } = view;
  for (const [topic, entries] of ahead) printer.warn(aheadLine(topic, group, entries));
  printer.messages(partitions.flatMap((entry) => oddities(view, entry)));
  const state = snakeCase(view.groupState);
  const totalLag = partitions.reduce((sum, { lag }) => sum + lag, 0);
  const rows = partitions.map(({ topic, partition, start, committed, stored, end, lag }) => ({
    topic,
    partition,
    start,
    committed,
    stored,
    end,
    lag,
  }));
  if (isCsv) {
    const columns = ['partition', 'start', 'committed', 'stored', 'end', 'lag', 'topic'];
    await (
      await openCsv(printer, columns)
    )(rows);
    return;
  }
  if (isJson) {
    const document: Offsets = {
      topic: onlyTopic(view),
      group,
      group_state: state,
      total_lag: totalLag,
      processor,
      partitions: rows,
    };
    await printer.data(`${JSON.stringify(document)}\n`);
    return;
  }
  // Kafka calls a group that it does not know "dead".
  const words = state === 'dead' ? 'does not exist yet' : state.replaceAll('_', ' ');
  await printer.text(`${topicWords(view)}, group ${group} (${words}): lag ${grouped(totalLag)}\n`);
  await printTable(printer, partitions, withTopics(view, SHOWN));
}

/** Warnings about a partition that its numbers alone do not make clear. */
function oddities(
  { processor, group, ahead }: OffsetsView,
  { topic, partition, start, stored, end, current }: PartitionOffsets,
): MessageLine[] {
  const lines: MessageLine[] = [];
  const place = `${topic}/${partition}`;
  const isAhead = ahead.get(topic)?.some((entry) => entry.partition === partition) === true;
  const reading = processor === 'orders' ? 'consume' : `run ${processor}`;
  if (stored !== null && current !== stored && !isAhead) {
    const text = `${place}: another tool moved group ${group} to ${current}; the next orderctl ${reading} continues there`;
    lines.push({ level: 'warn', text });
  }
  if (stored !== null && (stored < start || stored > end)) {
    const text = `${place}: the topic holds ${start} to ${end}, and the stored position ${stored} is not in it: ${reading} will stop there; see orderctl doctor`;
    lines.push({ level: 'warn', text });
  }
  return lines;
}

/** Kafka's PreparingRebalance as `preparing_rebalance`, like all values in our documents. */
function snakeCase(state: string): string {
  return state.replace(/(?<=[a-z])[A-Z]/g, '_$&').toLowerCase();
}

const MOVED = numbers<MovedPartition>([
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

const RESET_CSV_COLUMNS = ['partition', 'before', 'after', 'start', 'end', 'read_again', 'skipped', 'topic'];

/** @param to the target as the user gave it */
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
  await printTable(printer, result.partitions, withTopics(result, MOVED));
  await printer.text(`${printer.rephrased(lastLine(result))}\n`);
}

function warningsOf({ partitions, executed }: ResetResult): ReturnType<typeof moveLines> {
  const lines = partitions.flatMap((move) =>
    move.cause === 'reset' ? clampLines(move.topic, move) : moveLines(move.topic, move),
  );
  const skipped = partitions.reduce((sum, move) => sum + move.skipped, 0);
  if (skipped === 0) return lines;
  const text = `${count(skipped, 'record')} ${executed ? 'are' : 'would be'} skipped: they are not read`;
  return [...lines, { level: 'warn', text }];
}

function lastLine(result: ResetResult): string {
  const { processor, executed, undoFile, partitions, topics, group } = result;
  if (!executed) return 'nothing changed; add --execute';
  const moved = partitions.filter(isMove).length;
  if (moved === 0) return 'nothing changed: every partition is already there';
  const of = processor === 'orders' ? '' : ` --processor ${processor}`;
  const undo =
    undoFile === null ? '' : `; to undo it: orderctl offsets undo${of} --execute (kept in ${undoFile})`;
  return `moved ${count(moved, 'partition')} of ${topics.join(', ')}, with group ${group}${undo}`;
}

function resetDocument(result: ResetResult, to: string): OffsetsReset {
  const { processor, group, executed, undoFile } = result;
  return {
    topic: onlyTopic(result),
    group,
    to,
    executed,
    undo_file: undoFile,
    processor,
    partitions: result.partitions.map((move) => {
      const { topic, partition, before, after, start, end, readAgain, skipped } = move;
      return { topic, partition, before, after, start, end, read_again: readAgain, skipped };
    }),
  };
}
