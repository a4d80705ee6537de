import { expect } from 'vitest';
import { listKeptAside } from '../../src/adapters/files/csv/kept-aside.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { StoreNotice } from '../../src/ports/notices.ts';
import {
  after,
  FOLDER,
  isByHand,
  isCrash,
  mayBeAmbiguous,
  observe,
  type History,
  type Operation,
  type Runner,
  type Truth,
} from './store-history.ts';

/** How far a run got. */
export interface Progress {
  readonly runner: Runner;
  /** Number of acknowledged operations. */
  readonly done: number;
  readonly truth: Truth;
  /** The truth before each of them, the latest last. */
  readonly before: readonly Truth[];
  /** The error that ended it early. */
  readonly stopped: Error | null;
}

export async function run(history: History, runner: Runner, from: number, truth: Truth): Promise<Progress> {
  let done = from;
  let known = truth;
  const before: Truth[] = [];
  try {
    for (; done < history.operations.length; done++) {
      const operation = operationAt(history, done);
      const noticed = runner.notices.length;
      const did = await runner.perform(operation);
      const isAside = runner.notices.slice(noticed).some(isAmbiguous);
      before.push(known);
      known =
        isAside && mayBeAmbiguous(history, done)
          ? keptAside(known, runner)
          : after(known, operation, history, did);
    }
    await runner.store?.[Symbol.asyncDispose]();
    return { runner, done, truth: known, before, stopped: null };
  } catch (error) {
    if (!isCrash(error) && !isFailure(error, 'write_failed')) throw error;
    return { runner, done, truth: known, before, stopped: error };
  }
}

function isAmbiguous(notice: StoreNotice): boolean {
  return notice.kind === 'file_set_aside' && notice.why === 'ambiguous' && notice.keptAs !== null;
}

/** The truth if the current save is set aside next to the file. */
function keptAside(truth: Truth, { saved }: Runner): Truth {
  return saved === null ? truth : { ...truth, ambiguous: [...truth.ambiguous, saved] };
}

function operationAt(history: History, index: number): Operation {
  const operation = history.operations[index];
  if (operation === undefined) throw new Error(`no operation ${index}`);
  return operation;
}

/**
 * The truths that may be found: that of the acknowledged operations, and that with the operation in flight. Once made,
 * a save is found: in the table, or next to the file.
 */
export function allowed(history: History, { done, truth, runner }: Progress): Truth[] {
  const inFlight = history.operations[done];
  if (inFlight === undefined) return [truth];
  const then = after(truth, inFlight, history);
  if (isByHand(inFlight)) {
    if (runner.saved === null) return [truth];
    return mayBeAmbiguous(history, done) ? [keptAside(truth, runner), then] : [then];
  }
  return [truth, then];
}

/**
 * The truths that may be found instead of `allowed` when a journal is cut short: those before the last operations, if
 * these wrote to no file but the journal. The folder is then one that a torn write leaves.
 */
export function allowedOfCut(history: History, progress: Progress): Truth[] {
  const inFlight = history.operations[progress.done];
  // A save that was under way is in its file, whatever the journal has lost.
  const isSaved = inFlight !== undefined && isByHand(inFlight);
  const found: Truth[] = [];
  let later = progress.truth;
  for (const earlier of progress.before.toReversed()) {
    const isQueued = later.unsent.some((id) => !earlier.unsent.includes(id));
    if (isQueued || inFiles(earlier) !== inFiles(later)) break;
    found.push(...(isSaved ? allowed(history, { ...progress, truth: earlier }) : [earlier]));
    later = earlier;
  }
  return found;
}

/** The part of a truth that is also written to other files: all but positions and which waiting messages were sent. */
function inFiles(truth: Truth): string {
  return asText({ ...truth, next: 0, unsent: [] });
}

/** Opens the store and compares. @returns which of `truths` it is */
export async function expectTruth(runner: Runner, truths: readonly Truth[]): Promise<number> {
  const store = await runner.open();
  const seen = await observe(store);
  const unsent = store.unsent().get('orders.dlq') ?? 0;
  const alerts = store.unsent().get('alerts') ?? 0;
  expect(alerts, 'messages that wait').toBe(seen.parts);
  const texts = truths.map((truth) =>
    asText({ ...truth, unsent: truth.unsent.length, ambiguous: [...truth.ambiguous].sort() }),
  );
  const found = asText({ ...seen, unsent, ambiguous: ambiguousIn(runner) });
  expectOneOf(found, texts, 'the recovered state');
  const index = texts.lastIndexOf(found);
  for (const id of truths[index]?.undelivered ?? []) {
    const kept = `${FOLDER}/.orderctl/undelivered/${encodeURIComponent(id)}.json`;
    expect(runner.files.names(), 'what the broker refused').toContain(kept);
  }
  return index;
}

/** The texts of saves that are set aside because their base version is not known. */
function ambiguousIn({ files }: Runner): readonly string[] {
  return listKeptAside(files, FOLDER)
    .flatMap(({ file, why }) => (why === 'ambiguous' ? [files.get(file)?.toString() ?? ''] : []))
    .sort();
}

/** On failure, shows a readable difference to the last truth. */
export function expectOneOf(found: string, texts: readonly string[], what: string): void {
  if (!texts.includes(found)) expect(found, what).toBe(texts.at(-1));
}

export function asText(truth: object): string {
  return JSON.stringify(
    { ...truth, undelivered: undefined },
    (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    1,
  );
}
