import type { DeadLetter } from '../../../app/dlq/dead-letters.ts';
import { UNKNOWN } from '../../../app/dlq/filter.ts';
import type { ListDeadLettersSummary } from '../../../app/dlq/list.ts';
import type { RedriveStep, RedriveSummary } from '../../../app/dlq/redrive-events.ts';
import type { DeadLetter as DeadLetterDocument, RedrivenDeadLetter } from '../../../documents/dead-letter.ts';
import type {
  DeadLetterListSummary,
  RedriveSummary as RedriveSummaryDocument,
} from '../../../documents/summary.ts';
import { formatDeadLetterId } from '../../../domain/topics/dead-letter-id.ts';
import { isoTimeOrNull } from '../../../domain/iso-time.ts';
import { formatRecordId } from '../../../domain/orders/order.ts';
import { failsAgain, nowDocument } from './read-again.ts';
import type { Column } from '../table.ts';
import { count, duration, grouped, onlyTopic } from '../text.ts';

/** A row that does not keep the bytes of its dead letter in memory. */
export interface DeadLetterRow {
  readonly id: string;
  readonly state: string;
  readonly code: string;
  readonly failedAt: string;
  readonly from: string;
  readonly group: string;
  readonly sizeBytes: number;
  readonly message: string;
}

export function deadLetterRow(deadLetter: DeadLetter): DeadLetterRow {
  const { id, state, origin, failedAt } = deadLetter;
  return {
    id: formatDeadLetterId(id),
    state,
    code: origin.errorCode ?? UNKNOWN,
    failedAt: isoTimeOrNull(failedAt) ?? '',
    from: originPlace(deadLetter),
    group: origin.group ?? UNKNOWN,
    sizeBytes: sizeOf(deadLetter),
    message: origin.errorMessage ?? '',
  };
}

const GROUP: Column<DeadLetterRow> = { title: 'GROUP', cell: (row) => row.group };

/** The columns, with the group if there is more than one. */
export function deadLetterColumns({
  byGroup,
}: Pick<ListDeadLettersSummary, 'byGroup'>): readonly Column<DeadLetterRow>[] {
  return DEAD_LETTER_COLUMNS.flatMap((column) =>
    column.title === 'BYTES' && byGroup.size > 1 ? [GROUP, column] : [column],
  );
}

/** For narrow terminals: drops the widest columns first and never cuts what identifies a dead letter. */
export function narrowerColumns(
  columns: readonly Column<DeadLetterRow>[],
): readonly (readonly Column<DeadLetterRow>[])[] {
  const without = (...titles: readonly string[]) => columns.filter(({ title }) => !titles.includes(title));
  return [
    without('FAILED AT', 'BYTES'),
    without('MESSAGE'),
    without('MESSAGE', 'BYTES'),
    without('MESSAGE', 'BYTES', 'FAILED AT'),
  ];
}

const DEAD_LETTER_COLUMNS: readonly Column<DeadLetterRow>[] = [
  { title: 'ID', isWhole: true, cell: (row) => row.id },
  { title: 'STATE', cell: (row) => row.state },
  { title: 'REASON', cell: (row) => row.code },
  { title: 'FAILED AT', cell: (row) => row.failedAt },
  { title: 'FROM', cell: (row) => row.from },
  { title: 'BYTES', align: 'right', cell: (row) => String(row.sizeBytes) },
  { title: 'MESSAGE', cell: (row) => row.message },
];

/** `orders/3@17`, or the part of it that is known. */
export function originPlace({ origin }: Pick<DeadLetter, 'origin'>): string {
  const { topic, partition, offset } = origin;
  if (topic === null) return '';
  return partition === null || offset === null ? topic : formatRecordId({ topic, partition, offset });
}

export function sizeOf({ key, value }: DeadLetter): number {
  return (key?.byteLength ?? 0) + (value?.byteLength ?? 0);
}

/** Keys in the order of the contract. */
export function deadLetterDocument(deadLetter: DeadLetter): DeadLetterDocument {
  const { id, topic, state, origin, failedAt } = deadLetter;
  return {
    type: 'dead_letter',
    id: formatDeadLetterId(id),
    state,
    error_code: origin.errorCode,
    error_stage: origin.errorStage,
    error_message: origin.errorMessage,
    attempts: origin.attempts,
    failed_at: isoTimeOrNull(failedAt),
    original: {
      topic: origin.topic,
      partition: origin.partition,
      offset: origin.offset,
      timestamp: isoTimeOrNull(origin.timestamp),
    },
    size_bytes: sizeOf(deadLetter),
    format: origin.format,
    group: origin.group,
    replay_count: origin.replayCount,
    topic,
  };
}

export function listSummaryDocument(summary: ListDeadLettersSummary): DeadLetterListSummary {
  return {
    type: 'summary',
    command: 'dlq list',
    total: summary.total,
    by_error_code: Object.fromEntries(summary.byErrorCode),
    by_state: summary.byState,
    by_group: Object.fromEntries(summary.byGroup),
    listed: summary.listed,
    topic: onlyTopic(summary.scope),
  };
}

const BAR_COLUMNS = 24;

export interface HistogramRow {
  readonly code: string;
  readonly count: number;
  readonly bar: string;
}

/** Counts by error code, the most frequent first. */
export function histogram(byErrorCode: ReadonlyMap<string, number>): HistogramRow[] {
  const rows = [...byErrorCode].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const most = rows[0]?.[1] ?? 1;
  return rows.map(([code, n]) => ({
    code,
    count: n,
    bar: '█'.repeat(Math.max(1, Math.round((n / most) * BAR_COLUMNS))),
  }));
}

export const HISTOGRAM_COLUMNS: readonly Column<HistogramRow>[] = [
  { title: 'REASON', cell: (row) => row.code },
  { title: 'COUNT', align: 'right', cell: (row) => grouped(row.count) },
  { title: '', cell: (row) => row.bar },
];

/** Topics named; more are only counted, since naming all would fill a paragraph. */
const NAMED = 3;

export function listLine({ scope, total, byState, byGroup }: ListDeadLettersSummary): string {
  const states = Object.entries(byState).flatMap(([state, n]) => (n === 0 ? [] : [`${grouped(n)} ${state}`]));
  const { topics } = scope;
  const where = topics.length > NAMED ? `${topics.length} topics` : topics.join(', ');
  const line = `${count(total, 'dead letter')} in ${where}${states.length === 0 ? '' : `: ${states.join(', ')}`}`;
  if (byGroup.size < 2) return line;
  const groups = [...byGroup].map(([group, n]) => `${grouped(n)} of ${group}`);
  return `${line}; read by ${byGroup.size} groups: ${groups.join(', ')}`;
}

export function stepDocument(type: RedrivenDeadLetter['type'], step: RedriveStep): RedrivenDeadLetter {
  return {
    type,
    id: step.id,
    error_code: step.errorCode,
    topic: step.topic,
    partition: step.place?.partition ?? null,
    offset: step.place === null || step.place.offset < 0 ? null : step.place.offset,
    now: nowDocument(step.now),
  };
}

export function stepLine(type: 'sent' | 'would_send', step: RedriveStep): string {
  const { id, errorCode, topic, place, now } = step;
  const verb = type === 'sent' ? 'sent' : 'would send';
  const where = place === null ? topic : formatRecordId({ topic, ...place });
  const again = now?.kind === 'dead_letter' ? `; ${failsAgain(now)}` : '';
  return `${verb} ${id} to ${where} (${errorCode ?? UNKNOWN})${again}`;
}

export function redriveSummaryDocument(summary: RedriveSummary): RedriveSummaryDocument {
  const { skipped } = summary;
  return {
    type: 'summary',
    command: 'dlq redrive',
    topic: onlyTopic(summary.scope),
    replay_id: summary.replayId,
    dry_run: summary.dryRun,
    selected: summary.selected,
    sent: summary.dryRun ? 0 : summary.sent,
    by_topic: Object.fromEntries(summary.byTopic),
    skipped: [...skipped.values()].reduce((sum, n) => sum + n, 0),
    skipped_by_reason: Object.fromEntries(skipped),
    interrupted: summary.interrupted,
    seconds: summary.seconds,
    failed: summary.failed,
    unknown: summary.unknown,
    fails_again: summary.dryRun && summary.unread === null ? summary.failsAgain : null,
  };
}

function scopeInWords({ topics, ofShop }: RedriveSummary['scope']): string {
  return ofShop === undefined ? topics.join(', ') : `${ofShop.topic} and of other processors`;
}

export function redriveSummaryText(summary: RedriveSummary): string {
  const { dryRun, sent, seconds, byTopic, skipped } = summary;
  if (summary.selected === 0)
    return `nothing to redrive: no open dead letter of ${scopeInWords(summary.scope)} is selected`;
  const topics = [...byTopic].map(([topic, n]) => `${grouped(n)} to ${topic}`).join(', ');
  const what = `${count(sent, 'dead letter')}${topics === '' ? '' : `: ${topics}`}`;
  const reasons = [...skipped].map(([reason, n]) => `${reason} ${grouped(n)}`).join(', ');
  const lines = [dryRun ? `would redrive ${what}` : `redrove ${what} in ${duration(seconds * 1000)}`];
  if (reasons !== '') lines.push(`skipped: ${reasons}`);
  const { failed, unknown } = summary;
  if (failed + unknown > 0)
    lines.push(`not sent: ${failed}; unknown whether sent: ${unknown}; both stay open`);
  if (summary.failsAgain > 0) {
    lines.push(`would fail again: ${grouped(summary.failsAgain)}; see: orderctl dlq show ID`);
  }
  if (summary.unread !== null) {
    const which = summary.failsAgain > 0 ? 'others' : 'they';
    lines.push(`whether ${which} would fail again is unknown: ${summary.unread.message}`);
  }
  if (dryRun) lines.push('nothing changed; add --execute');
  return lines.join('\n');
}
