import type { SetAside } from '../../../domain/set-aside.ts';
import type { Item, User } from '../../../domain/tables.ts';
import type { CsvTable } from '../tables/columns.ts';
import { cellComparer, compareWith, rate, type Distance, type Rating } from './compare-versions.ts';
import { whatIsMissing } from './half-saved.ts';
import { rowsOf, type KnownVersion } from './known-version.ts';

/*
 * Which version of a CSV did the user's editor load? Nothing records it, so it is inferred: from the cells that were
 * left alone, from which versions were read at all, and from the user's own last save. No rule is always right: where
 * several versions fit and would lead to different stock, none is chosen, and the file is set aside. `npm run
 * simulate:edits` measures the thresholds below.
 */

/** What is known about the file besides its rows. */
export interface FileClues {
  readonly nowMs: number;
  /** When it was saved, milliseconds since the epoch. */
  readonly savedMs: number;
  /** Whether its last line ends in a line feed. */
  readonly isEnded: boolean;
  /** Whether the oldest known version is the first version ever. */
  readonly isComplete: boolean;
}

export type Choice<Row> =
  | { readonly kind: 'set_aside'; readonly why: SetAside }
  | {
      readonly kind: 'base';
      /** Its index in the versions; -1: there are no versions. */
      readonly index: number;
      /** Its rows; null: no such row. */
      readonly row: (name: string) => Row | null;
    };

/**
 * A held version (one that a program may have read) that fits worse than an unread one by at most this number of cells
 * may still be the one that was loaded.
 */
const NEAR_CELLS = 3;
/** A version that fits worse than the best one, by this share of the cells in which the two differ, was not loaded. */
const BEHIND_SHARE = 1 / 4;
/** How long a user continues from their own last save. */
const OWN_SAVE_MS = 30 * 60_000;
/** A version that was in place for this long is taken to be the one that an editor loaded. */
const STOOD_MS = 10 * 60_000;
/** A file that has been open in an editor for longer than this is assumed never to be saved. */
const FORGOTTEN_MS = 24 * 3_600_000;

/**
 * Finds the version that `found` was made from, in time linear in rows and undo entries.
 *
 * @param versions newest first
 */
export function chooseBase<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  versions: readonly KnownVersion<Row>[],
  clues: FileClues,
): Choice<Row> {
  if (versions.length === 0) return { kind: 'base', index: -1, row: () => null };
  const cells = cellComparer(found, current);
  const scores = rate(found, current, versions, cells);
  const chosen = choose(scores, versions, clues, () =>
    compareWith(scores, { found, current, versions, cells }),
  );
  if (typeof chosen === 'string') return { kind: 'set_aside', why: chosen };
  const row = rowsOf(current, versions, chosen);
  const why = whatIsMissing(found, current, row, clues.isEnded);
  return why === null ? { kind: 'base', index: chosen, row } : { kind: 'set_aside', why };
}

function choose<Row>(
  { equal, same }: Rating,
  versions: readonly KnownVersion<Row>[],
  clues: FileClues,
  distances: () => (best: number) => Distance,
): number | SetAside {
  const top = equal.reduce((most, score) => Math.max(most, score), -1);
  if (top === -1) return 'stranger';
  const ownSave = versions.findIndex(({ hand }) => hand !== null);
  const save = versions[ownSave];
  const isRecent = save !== undefined && isRecentSave(save, clues);
  // The file equals the version that the save was made from: the save was undone in the editor.
  if (save !== undefined && isOwnSave(save, clues) && isTakenBack(ownSave, save, (at) => same.has(at))) {
    return ownSave;
  }

  const isHeld = (at: number): boolean => versions[at]?.unread === false;
  const best = bestOf(equal, top, isHeld);
  if (best === null) return 'ambiguous';
  const { cells, matters } = distances()(best);
  const isBehind = (at: number): boolean =>
    (equal[best] ?? 0) - (equal[at] ?? -1) >= Math.max(1, (cells[at] ?? 0) * BEHIND_SHARE);
  // The file was made from the same version as the user's own save, either in another window or by undoing in the same
  // one; which of the two cannot be known.
  const isGoneBack =
    save !== undefined && isOwnSave(save, clues) && best === ownSave + (save.hand?.back ?? NaN);
  if (isGoneBack && matters[ownSave] === true) return 'ambiguous';
  const rivals = versions.flatMap((_, at) =>
    at !== best && equal[at] !== -1 && isHeld(at) && matters[at] === true && !isBehind(at) ? [at] : [],
  );
  const oldest = versions.length - 1;
  const isForgotten =
    !clues.isComplete && clues.nowMs - (versions[oldest]?.at ?? 0) < FORGOTTEN_MS && !isBehind(oldest);
  if (isForgotten) return 'forgotten';
  if (rivals.length === 0) return best;
  const tied = [best, ...rivals.filter((at) => equal[at] === equal[best])];
  if (isRecent && (ownSave === best || rivals.includes(ownSave)) && tied.every((at) => at >= ownSave)) {
    return ownSave;
  }
  const until = versions[best - 1]?.at ?? clues.nowMs;
  const hasStood = until - (versions[best]?.at ?? until) >= STOOD_MS;
  return hasStood && tied.every((at) => at >= best) ? best : 'ambiguous';
}

type Save = Pick<KnownVersion<unknown>, 'at' | 'hand'>;

function isRecentSave({ at }: Save, { nowMs }: Pick<FileClues, 'nowMs'>): boolean {
  return nowMs - at < OWN_SAVE_MS;
}

/**
 * Whether a file equals the version that the user's own save was made from, and no version after the save: a later
 * version with that text may also have been saved again, or put back to fix a broken file, which is no change.
 *
 * @param ownSave its index in the versions
 * @param isSame whether the file equals the version at an index
 */
export function isTakenBack(ownSave: number, { hand }: Save, isSame: (at: number) => boolean): boolean {
  for (let at = 0; at < ownSave; at++) if (isSame(at)) return false;
  return isSame(ownSave + (hand?.back ?? NaN));
}

/**
 * Whether the user who made this save may have saved the file after it, a moment later. A file older than that save was
 * not saved after it: a power failure brought it back, or the user restored a copy.
 */
export function isOwnSave(save: Save, clues: Pick<FileClues, 'nowMs' | 'savedMs'>): boolean {
  return save.hand !== null && isRecentSave(save, clues) && clues.savedMs > save.hand.savedMs;
}

/** @returns the newest held version with the top score; null: an unread one fits best, but a held one nearly as well */
function bestOf(equal: Float64Array, top: number, isHeld: (at: number) => boolean): number | null {
  let newest = -1;
  let isNear = false;
  for (let at = 0; at < equal.length; at++) {
    const score = equal[at] ?? -1;
    if (score === top && isHeld(at)) return at;
    if (score === top && newest === -1) newest = at;
    if (score !== -1 && score >= top - NEAR_CELLS && isHeld(at)) isNear = true;
  }
  return isNear ? null : newest;
}
