import type { Status } from '../../documents/status.ts';
import { countsDocument, processorDocument } from '../../documents/write/status.ts';
import type { Recent } from '../../app/status/recent.ts';
import type { FolderStatus, UncountedFile } from '../../app/status/show.ts';
import { byTopic } from '../../domain/topics/by-topic.ts';
import { isoTime, isoTimeOrNull } from '../../domain/iso-time.ts';
import type { ConsumerStatus, ProcessorStatus, RunningConsumer, RunningInstance } from '../../ports/owner.ts';
import { serviceName } from './awaited.ts';
import { count, duration, grouped, wrapped } from './text.ts';

/** The status under `-o json`, keys in the order of the contract; null if not known. */
export function statusDocument({ consumer, files, problem }: FolderStatus): Status {
  const known = typeof consumer === 'object' ? consumer : null;
  const status = known?.status;
  return {
    running: consumer === 'unknown' ? null : consumer !== 'none',
    pid: known?.pid ?? null,
    started_at: isoTimeOrNull(known?.startedAt),
    state: status?.state ?? (consumer === 'silent' ? 'silent' : null),
    waiting_for: status?.waitingFor ?? null,
    topic: status?.topic ?? null,
    group: status?.group ?? null,
    orders_per_second: status?.ordersPerSecond ?? null,
    lag: status?.lag ?? null,
    last_commit_at: isoTimeOrNull(status?.lastCommitAt),
    counts: status === undefined ? null : countsDocument(status.counts),
    processors: status === undefined ? null : processorsOf(status).map(processorDocument),
    instances: known?.instances?.map(instanceDocument) ?? null,
    files,
    problem: problem?.message ?? null,
  };
}

function instanceDocument(instance: RunningInstance): Instances[number] {
  const { pid, host, startedAt, state, processors, partitions } = instance;
  return {
    pid,
    host,
    started_at: isoTime(startedAt),
    state,
    processors: [...processors],
    partitions: [...partitions],
  };
}
type Instances = NonNullable<Status['instances']>;

/** A row for each instance, if there are several. */
function instanceRows(instances: readonly RunningInstance[], now: number): [string, string][] {
  if (instances.length < 2) return [];
  return instances.map(({ pid, host, startedAt, state, partitions }) => [
    'instance',
    `process ${pid} on ${host}, ${state === 'silent' ? 'does not answer' : state}, for ${ago(startedAt, now)}, ${partitionsInWords(partitions)}`,
  ]);
}

/** `orders/0, 2, 4; payments.processed/1` */
function partitionsInWords(partitions: RunningInstance['partitions']): string {
  if (partitions.length === 0) return 'no partitions';
  return [...byTopic(partitions)]
    .map(([topic, of]) => `${topic}/${[...new Set(of.map(({ partition }) => partition))].join(', ')}`)
    .join('; ');
}

/** A consumer of an earlier version does not report its processors. */
function processorsOf(status: ConsumerStatus): readonly ProcessorStatus[] {
  return (status as Partial<ConsumerStatus>).processors ?? [];
}

/** A row for each processor of a consumer that runs several. */
function processorRows(consumer: RunningConsumer): [string, string][] {
  return processorsOf(consumer.status).map(({ name, recordsPerSecond, lag, read }) => {
    const behind = lag === null ? 'lag not known yet' : `lag ${grouped(lag)}`;
    const decided = name === 'orders' ? `: ${countsInWords(consumer.status.counts)}` : '';
    return [name, `${grouped(read)} read, ${recordsPerSecond}/s, ${behind}${decided}`];
  });
}

/** The time of the latest commit of any processor. */
function lastCommitOf(status: ConsumerStatus): number | null {
  const times = [status, ...processorsOf(status)].flatMap(({ lastCommitAt }) => lastCommitAt ?? []);
  return times.length === 0 ? null : Math.max(...times);
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

/** The status on several lines, for people. */
export function statusLines({ consumer, files }: FolderStatus, folder: string, now: number): string[] {
  return [...consumerLines(consumer, folder, now), ...files.map(fileLine)];
}

function fileLine({ state, file, message }: UncountedFile): string {
  const name = state === 'broken' ? '' : `${file}: `;
  return row(state.replaceAll('_', ' '), name + message);
}

function row(name: string, value: string): string {
  return `${name.padEnd(NAME_COLUMNS)}${value}`;
}
const NAME_COLUMNS = 13;

/** The same lines wrapped to `width`, a value's continuation indented to its start. */
export function statusScreen(lines: readonly string[], width: number): string[] {
  return lines.flatMap((line) => wrapped(line, { width, indent: NAME_COLUMNS, isCut: true }));
}

const SHOWN = 5;

/** Statistics of the latest decisions, one per line. */
export function recentLines({ decisions, reasons, items, low }: Recent): string[] {
  const first = (counts: Recent['items']): string =>
    counts.length === 0
      ? 'none'
      : counts
          .slice(0, SHOWN)
          .map(([name, n]) => `${name} ${grouped(n)}`)
          .join(', ');
  const more = low.length > SHOWN ? `, and ${count(low.length - SHOWN, 'more', 'more')}` : '';
  const lowest = low
    .slice(0, SHOWN)
    .map(({ item, quantity, reorderLevel }) => `${item} ${quantity} of ${reorderLevel ?? 0}`);
  return [
    '',
    `of the latest ${count(decisions, 'decision')}`,
    row('rejected', first(reasons)),
    row('most sold', first(items)),
    '',
    row('low stock', lowest.length === 0 ? 'none' : lowest.join(', ') + more),
  ];
}

/** The lines that fit a terminal of this height. */
export function fitting(lines: readonly string[], rows: number): readonly string[] {
  return lines.length <= rows ? lines : [...lines.slice(0, Math.max(1, rows - 1)), '…'].slice(0, rows);
}

function consumerLines(consumer: FolderStatus['consumer'], folder: string, now: number): string[] {
  if (consumer === 'none') return [`no consumer runs on ${folder}`];
  if (consumer === 'silent') return [`the consumer on ${folder} does not answer: it is paused or very busy`];
  if (consumer === 'unknown') return [`whether a consumer runs on ${folder} is not known`];
  const { pid, startedAt, status } = consumer;
  const lastCommitAt = lastCommitOf(status);
  const isShop = processorsOf(status).length > 1;
  const rows: [string, string][] = [
    [isShop ? 'shop' : 'consumer', `process ${pid}, for ${ago(startedAt, now)}`],
    ['state', stateInWords(status)],
    ...(isShop ? [] : orderRows(consumer)),
    ['last commit', lastCommitAt === null ? 'none yet' : `${ago(lastCommitAt, now)} ago`],
    ...(isShop ? processorRows(consumer) : []),
    ...instanceRows(consumer.instances ?? [], now),
  ];
  return rows.map(([name, value]) => row(name, value));
}

function orderRows(consumer: RunningConsumer): [string, string][] {
  const { topic, group, lag, ordersPerSecond } = consumer.status;
  return [
    ['topic', `${topic}, as group ${group}`],
    ['rate', `${ordersPerSecond} orders/s`],
    ['lag', lag === null ? 'not known yet' : count(lag, 'record')],
    ['read', readInWords(consumer)],
  ];
}

/** The status on one line, for a log. */
export function statusLine({ consumer, files }: FolderStatus, folder: string, now: number): string {
  return [`${isoTime(now)} ${consumerLine(consumer, folder, now)}`, ...files.map(fileInLine)].join('; ');
}

function consumerLine(consumer: FolderStatus['consumer'], folder: string, now: number): string {
  if (typeof consumer !== 'object') return consumerLines(consumer, folder, now).join(' ');
  const { ordersPerSecond, lag } = consumer.status;
  return `${stateInWords(consumer.status)}, ${ordersPerSecond} orders/s, lag ${lag ?? 'unknown'}, read ${readInWords(consumer)}`;
}

function fileInLine({ state, file }: UncountedFile): string {
  return `${state.replaceAll('_', ' ')}: ${file}`;
}

/** `consuming`, `waiting for the brokers` */
export function stateInWords({ state, waitingFor }: ConsumerStatus): string {
  if (waitingFor === null || state !== 'waiting') return state;
  return `waiting for the ${serviceName(waitingFor)}`;
}

function readInWords({ status: { counts } }: RunningConsumer): string {
  return `${grouped(counts.read)}: ${countsInWords(counts)}`;
}

function ago(at: number, now: number): string {
  return duration(Math.max(0, now - at));
}
