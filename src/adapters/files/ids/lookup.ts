import type { Decided } from '../../../domain/orders/decided.ts';
import type { Fact } from '../../../domain/facts.ts';
import { isFailure } from '../../../domain/failure.ts';
import type { FolderState } from '../journal/checkpoint.ts';
import type { FileSystem } from '../fs.ts';
import type { LogName } from '../layout.ts';
import { factsAt } from '../logs/fact-lines.ts';
import { linesOf, type LogView } from '../logs/log.ts';
import { lineBegin, orderIdOf, parseDecided } from '../logs/parse-order-line.ts';
import { openIdIndex, type IdIndex } from './index.ts';
import { DECISIONS, type IndexedLog, type KnownFacts } from './indexed-logs.ts';
import type { IdPlace } from './table.ts';

/** A log including everything committed. */
export type ViewOf = (log: LogName) => LogView;

/**
 * Finds the decision of an order id. The index may return too many places, for entries that share a hash or lines that
 * a crash has undone, so each line is read.
 *
 * @param rebuilt returns a new index; called when this one turns out to be damaged, after closing it
 */
export function lookUp(
  orderId: string,
  index: IdIndex,
  view: ViewOf,
  rebuilt: () => IdIndex,
): Decided | undefined {
  for (const { log, position } of placesOf(orderId, 0, index, rebuilt)) {
    const lines = view(log === 0 ? 'orders' : 'rejections');
    const line = lines.line(position);
    if (line !== undefined && orderIdOf(line) === orderId) return lines.parsed(line, parseDecided);
  }
  return undefined;
}

/**
 * The facts of a key, in the order of their log.
 *
 * @param rebuilt as for lookUp
 * @param until lines from there on are left out
 */
export function findFacts(
  key: string,
  { key: field, number }: KnownFacts,
  index: IdIndex,
  view: LogView,
  rebuilt: () => IdIndex,
  until = Infinity,
): readonly Fact[] {
  const places: number[] = [];
  for (const { position } of placesOf(key, number, index, rebuilt))
    if (position < until) places.push(position);
  return places.length === 0 ? [] : factsAt(view, places, field, key);
}

function placesOf(key: string, log: number, index: IdIndex, rebuilt: () => IdIndex): readonly IdPlace[] {
  try {
    return index.find(key, log);
  } catch (error) {
    if (!isFailure(error, 'corrupt_state')) throw error;
    index.close();
    return rebuilt().find(key, log);
  }
}

/**
 * Opens the index that a checkpoint names, and adds the lines after the checkpoint. A damaged index is rebuilt from the
 * logs.
 *
 * @param view a log including everything committed
 * @returns `rebuilt`: the next checkpoint must name other runs
 */
export function openIndex(
  files: FileSystem,
  inner: string,
  state: FolderState | undefined,
  logs: readonly IndexedLog[],
  view: ViewOf,
): { index: IdIndex; rebuilt: boolean } {
  try {
    const index = openIdIndex(files, inner, state?.ids ?? []);
    addTail(index, state, logs, view);
    return { index, rebuilt: false };
  } catch (error) {
    if (!isFailure(error, 'corrupt_state')) throw error;
    return { index: rebuildIndex(files, inner, logs, view), rebuilt: true };
  }
}

export function rebuildIndex(
  files: FileSystem,
  inner: string,
  logs: readonly IndexedLog[],
  view: ViewOf,
): IdIndex {
  const index = openIdIndex(files, inner, []);
  for (const log of logs) addLines(index, log, view(log.name), 0);
  return index;
}

/** Adds the lines that the runs of a checkpoint lack. */
export function addTail(
  index: IdIndex,
  state: FolderState | undefined,
  logs: readonly IndexedLog[],
  view: ViewOf,
): void {
  for (const log of logs) addLines(index, log, view(log.name), state?.logs[log.name]?.sizeBytes ?? 0);
}

/** Finds the decision of an order id among the lines after a checkpoint, without an index. */
export function findInTail(orderId: string, state: FolderState, view: ViewOf): Decided | undefined {
  const begin = Buffer.from(lineBegin(orderId));
  for (const { name } of DECISIONS) {
    const lines = view(name);
    for (const chunk of lines.chunks(state.logs[name].sizeBytes)) {
      for (let at = chunk.indexOf(begin); at !== -1; at = chunk.indexOf(begin, at + 1)) {
        // A name within a line may contain such text.
        if (at > 0 && chunk[at - 1] !== 10) continue;
        return lines.parsed(chunk.subarray(at, chunk.indexOf(10, at)), parseDecided);
      }
    }
  }
  return undefined;
}

/** Adds the lines of a log from a position on. */
export function addLines(index: IdIndex, { number, keyOf }: IndexedLog, view: LogView, from: number): void {
  let position = from;
  for (const chunk of view.chunks(from)) {
    for (const { line, at } of linesOf(chunk)) {
      const key = keyOf(line);
      if (key !== undefined) index.add(key, { log: number, position: position + at });
    }
    position += chunk.byteLength;
  }
}
