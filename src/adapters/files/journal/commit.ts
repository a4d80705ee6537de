import { totalBytes } from '../fs.ts';
import { LOG_NAMES, type LogName } from '../layout.ts';
import type { DecisionLines } from '../logs/decision-lines.ts';
import { textBytes } from '../logs/text-bytes.ts';
import type { Sales } from '../tables/sales.ts';
import { renderLine, type StateLine } from '../tables/state-line.ts';
import type { JournalEntry, LogBytes } from './entry.ts';

/** What one commit changes. */
export interface Commit {
  readonly orders?: DecisionLines;
  readonly rejections?: DecisionLines;
  readonly sales?: Sales;
  readonly logs?: Partial<Record<'edits' | 'users' | 'inventory', readonly Uint8Array[]>>;
  /** Gone through twice. */
  readonly lines: Iterable<StateLine>;
}

/** What the journal record of a commit holds. @param sizeOf how long each log is */
export function entryOf(commit: Commit, sizeOf: (log: LogName) => number): JournalEntry {
  const logs: LogBytes[] = [];
  for (const log of LOG_NAMES) {
    const parts = (log === 'orders' || log === 'rejections' ? commit[log]?.parts : commit.logs?.[log]) ?? [];
    const sizeBytes = totalBytes(parts);
    if (sizeBytes > 0) logs.push({ log, position: sizeOf(log), parts, sizeBytes });
  }
  const state: Uint8Array[] = textBytes(rendered(commit.lines));
  // After the lines: what was edited is sold from.
  if (commit.sales?.isEmpty === false) state.push(commit.sales.render());
  return { logs, state };
}

function* rendered(lines: Iterable<StateLine>): Generator<string> {
  for (const line of lines) yield renderLine(line);
}
