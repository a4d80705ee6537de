import type { Counts, Status } from '../../documents/status.ts';
import { isoTime, isoTimeOrNull } from '../../domain/iso-time.ts';
import type { ConsumerStatus, RunningConsumer } from '../../ports/status.ts';
import { count, duration, grouped } from './text.ts';

/** What came of asking: a consumer, none, or one that does not answer. */
export type Asked = RunningConsumer | 'none' | 'silent';

/** Keys in the order of the contract; all of them null where they are not known. */
export function statusDocument(asked: Asked): Status {
  const known = typeof asked === 'object' ? asked : null;
  const status = known?.status;
  return {
    running: asked !== 'none',
    pid: known?.pid ?? null,
    started_at: isoTimeOrNull(known?.startedAt),
    state: status?.state ?? (asked === 'silent' ? 'silent' : null),
    waiting_for: status?.waitingFor ?? null,
    topic: status?.topic ?? null,
    group: status?.group ?? null,
    orders_per_second: status?.ordersPerSecond ?? null,
    lag: status?.lag ?? null,
    last_commit_at: isoTimeOrNull(status?.lastCommitAt),
    counts: status === undefined ? null : countsDocument(status.counts),
  };
}

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

/** The status on several lines, for a person. */
export function statusLines(asked: Asked, folder: string, now: number): string[] {
  if (asked === 'none') return [`no consumer runs on ${folder}`];
  if (asked === 'silent') return [`the consumer on ${folder} does not answer: it is paused or very busy`];
  const { pid, startedAt, status } = asked;
  const { topic, group, lag, lastCommitAt } = status;
  const rows: [string, string][] = [
    ['consumer', `process ${pid}, for ${ago(startedAt, now)}`],
    ['state', stateInWords(asked)],
    ['topic', `${topic}, as group ${group}`],
    ['rate', `${status.ordersPerSecond} orders/s`],
    ['lag', lag === null ? 'not known yet' : count(lag, 'record')],
    ['read', readInWords(asked)],
    ['last commit', lastCommitAt === null ? 'none yet' : `${ago(lastCommitAt, now)} ago`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(13)}${value}`);
}

/** The status on one line, for a log. */
export function statusLine(asked: Asked, folder: string, now: number): string {
  const at = isoTime(now);
  if (typeof asked !== 'object') return `${at} ${statusLines(asked, folder, now).join(' ')}`;
  const { ordersPerSecond, lag } = asked.status;
  return `${at} ${stateInWords(asked)}, ${ordersPerSecond} orders/s, lag ${lag ?? 'unknown'}, read ${readInWords(asked)}`;
}

function stateInWords({ status: { state, waitingFor } }: RunningConsumer): string {
  if (waitingFor === null || state !== 'waiting') return state;
  return `waiting for the ${waitingFor === 'broker' ? 'brokers' : 'schema registry'}`;
}

function readInWords({ status: { counts } }: RunningConsumer): string {
  return `${grouped(counts.read)}: ${countsInWords(counts)}`;
}

function ago(at: number, now: number): string {
  return duration(Math.max(0, now - at));
}
