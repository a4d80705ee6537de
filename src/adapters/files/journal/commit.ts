import { totalBytes } from '../fs.ts';
import type { KeyedLines } from '../ids/owned-index.ts';
import type { KeyedFacts } from '../ids/recent-facts.ts';
import type { Outgoing } from '../../../ports/store.ts';
import { factLogName, type FactLogName, type LogName, type SegmentLogName } from '../layout.ts';
import type { DecisionLines } from '../logs/decision-lines.ts';
import { textBytes } from '../logs/text-bytes.ts';
import type { Leaving } from '../outbox/owned-outbox.ts';
import type { Sales } from '../tables/sales.ts';
import { renderLine, type StateLine } from '../tables/state-line.ts';
import type { JournalEntry, LogBytes } from './entry.ts';

/** New lines of one log of facts. */
export interface FactLines extends KeyedLines, KeyedFacts {
  /** The name that the log has in messages. */
  readonly name: string;
  readonly parts: readonly Uint8Array[];
}

type LogsOfCommit = Exclude<LogName, 'orders' | 'rejections' | FactLogName | SegmentLogName>;

/** What one commit changes. */
export interface Commit {
  readonly orders?: DecisionLines;
  readonly rejections?: DecisionLines;
  readonly sales?: Sales;
  /** In the order of their logs. */
  readonly facts?: readonly FactLines[];
  /** In the order in which they are to be sent. */
  readonly outgoing?: readonly Outgoing[];
  readonly logs?: Partial<Record<LogsOfCommit, readonly Uint8Array[]>>;
  /** The number of the transaction, for its lines; undefined if it has none. */
  readonly seq?: number;
  /** Iterated twice. */
  readonly lines: Iterable<StateLine>;
}

/**
 * The journal record of a commit.
 *
 * @param leaving the messages and dead letters that it leaves to be sent
 * @param sizeOf the size of each log
 * @param seq the number of the last transaction before it
 */
export function entryOf(
  commit: Commit,
  leaving: readonly Leaving[],
  sizeOf: (log: LogName) => number,
  seq: number,
): JournalEntry {
  const logs: LogBytes[] = [];
  const add = (log: LogName, parts: readonly Uint8Array[] | undefined): void => {
    const sizeBytes = parts === undefined ? 0 : totalBytes(parts);
    if (parts !== undefined && sizeBytes > 0) logs.push({ log, position: sizeOf(log), parts, sizeBytes });
  };
  add('orders', commit.orders?.parts);
  add('rejections', commit.rejections?.parts);
  for (const { name, parts } of commit.facts ?? []) add(factLogName(name), parts);
  for (const { log, parts } of leaving) add(log, parts);
  for (const log in commit.logs) add(log as LogName, commit.logs[log as LogsOfCommit]);
  const state: Uint8Array[] = textBytes(rendered(commit.lines));
  state.push(...textBytes(rendered(leaving.flatMap(({ lines }) => lines))));
  // Last, since sales apply to the stock as the edits left it.
  if (commit.sales?.isEmpty === false) state.push(commit.sales.render());
  return { seq: commit.seq ?? seq, logs, state };
}

function* rendered(lines: Iterable<StateLine>): Generator<string> {
  for (const line of lines) yield renderLine(line);
}
