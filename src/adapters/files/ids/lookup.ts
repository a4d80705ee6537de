import type { Decided } from '../../../domain/orders/decided.ts';
import { isFailure } from '../../../domain/failure.ts';
import type { FolderState } from '../journal/checkpoint.ts';
import type { FileSystem } from '../fs.ts';
import { openIdIndex, type IdIndex } from './index.ts';
import type { IdPlace } from './table.ts';
import { linesOf, type LogView } from '../logs/log.ts';
import { lineBegin, orderIdOf, parseDecided } from '../logs/order-line.ts';

const DECISION_LOGS = ['orders', 'rejections'] as const;

/**
 * The decision of an order id. The index may name too many places: entries that share a hash, or of lines that a
 * crash has taken back; so each line is read.
 *
 * @param rebuilt called when the index turns out to be damaged, and is closed: the one to look in from then on
 */
export function lookUp(
  orderId: string,
  index: IdIndex,
  view: (log: IdPlace['log']) => LogView,
  rebuilt: () => IdIndex,
): Decided | undefined {
  const places = placesOf(orderId, index, rebuilt);
  for (const { log, position } of places) {
    const line = view(log).line(position);
    if (line !== undefined && orderIdOf(line) === orderId) return parseDecided(line);
  }
  return undefined;
}

function placesOf(orderId: string, index: IdIndex, rebuilt: () => IdIndex): readonly IdPlace[] {
  try {
    return index.find(orderId);
  } catch (error) {
    if (!isFailure(error, 'corrupt_state')) throw error;
    index.close();
    return rebuilt().find(orderId);
  }
}

/**
 * Opens the index that a checkpoint names, and adds the ids of the log lines after it. A damaged index is built
 * again from the logs, of which it is a view.
 *
 * @param view a log with all that was committed
 * @returns `rebuilt`: the next checkpoint has to name other runs
 */
export function openIndex(
  files: FileSystem,
  inner: string,
  state: FolderState | undefined,
  view: (log: IdPlace['log']) => LogView,
): { index: IdIndex; rebuilt: boolean } {
  try {
    const index = openIdIndex(files, inner, state?.ids ?? []);
    addTail(index, state, view);
    return { index, rebuilt: false };
  } catch (error) {
    if (!isFailure(error, 'corrupt_state')) throw error;
    return { index: rebuildIndex(files, inner, view), rebuilt: true };
  }
}

export function rebuildIndex(
  files: FileSystem,
  inner: string,
  view: (log: IdPlace['log']) => LogView,
): IdIndex {
  const index = openIdIndex(files, inner, []);
  for (const log of DECISION_LOGS) addIds(index, log, view(log), 0);
  return index;
}

/** Adds the ids that the runs of a checkpoint do not have. */
export function addTail(
  index: IdIndex,
  state: FolderState | undefined,
  view: (log: IdPlace['log']) => LogView,
): void {
  for (const log of DECISION_LOGS) addIds(index, log, view(log), state?.logs[log].sizeBytes ?? 0);
}

/** The decision of an order id among the lines after a checkpoint, without an index of them. */
export function findInTail(
  orderId: string,
  state: FolderState,
  view: (log: IdPlace['log']) => LogView,
): Decided | undefined {
  const begin = Buffer.from(lineBegin(orderId));
  for (const log of DECISION_LOGS) {
    for (const chunk of view(log).chunks(state.logs[log].sizeBytes)) {
      for (let at = chunk.indexOf(begin); at !== -1; at = chunk.indexOf(begin, at + 1)) {
        // Such text can stand within a line, in what somebody named something.
        if (at > 0 && chunk[at - 1] !== 10) continue;
        return parseDecided(chunk.subarray(at, chunk.indexOf(10, at)));
      }
    }
  }
  return undefined;
}

function addIds(index: IdIndex, log: IdPlace['log'], view: LogView, from: number): void {
  let position = from;
  for (const chunk of view.chunks(from)) {
    for (const { line, at } of linesOf(chunk)) {
      const orderId = orderIdOf(line);
      if (orderId !== undefined) index.add(orderId, { log, position: position + at });
    }
    position += chunk.byteLength;
  }
}
