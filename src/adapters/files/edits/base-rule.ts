import type { SetAside } from '../../../domain/set-aside.ts';
import type { Item, User } from '../../../domain/tables.ts';
import type { CsvTable } from '../tables/columns.ts';
import { cellComparer, compareWith, rate, type Distance, type Rating } from './compare-versions.ts';
import { whatIsMissing } from './half-saved.ts';
import { rowsOf, type KnownVersion } from './known-version.ts';

/*
 * Which version of a CSV did the user's editor load? Nothing says so, so it is inferred: from the cells that were
 * left alone, from which versions were read at all, and from the user's own last save. No rule is always right: where
 * several versions would fit and stock would differ, none is chosen, and the file is set aside. `npm run
 * simulate:edits` measures the thresholds below.
 */

/** What is known of the file besides its rows. */
export interface FileClues {
  readonly nowMs: number;
  /** When it was saved, milliseconds since the epoch. */
  readonly savedMs: number;
  /** Its last line ends in a line feed. */
  readonly isEnded: boolean;
  /** The oldest known version is the first that there was. */
  readonly isComplete: boolean;
}

export type Choice<Row> =
  | { readonly kind: 'set_aside'; readonly why: SetAside }
  | {
      readonly kind: 'base';
      /** Its place in the versions; -1: there is none. */
      readonly index: number;
      /** Its rows; null: not there. */
      readonly row: (name: string) => Row | null;
    };

/** A held version that fits worse than an unread one by no more than this may still be the one that was loaded. */
const NEAR_CELLS = 3;
/** A version that fits worse by this share of the cells in which it differs from the best was not loaded. */
const BEHIND_SHARE = 1 / 4;
/** How long a user goes on from their own last save. */
const OWN_SAVE_MS = 30 * 60_000;
/** A version that was in place for this long is taken to be the one that an editor loaded. */
const STOOD_MS = 10 * 60_000;
/** No one saves a file that has been open in an editor for longer. */
const FORGOTTEN_MS = 24 * 3_600_000;

/**
 * The version that `found` was made from. Costs time linear in rows and entries of the undos.
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
  // The file is what the save was made from: the save was undone in the editor.
  if (save !== undefined && isOwnSave(save, clues) && isTakenBack(ownSave, save, (at) => same.has(at))) {
    return ownSave;
  }

  const isHeld = (at: number): boolean => versions[at]?.unread === false;
  const best = bestOf(equal, top, isHeld);
  if (best === null) return 'ambiguous';
  const { cells, matters } = distances()(best);
  const isBehind = (at: number): boolean =>
    (equal[best] ?? 0) - (equal[at] ?? -1) >= Math.max(1, (cells[at] ?? 0) * BEHIND_SHARE);
  // Made from what the user's own save was made from, in another window or by undoing in the same one: which cannot
  // be known.
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
 * Whether a file is what the own save was made from, and nothing that came after the save: a later version of that
 * text may also have been saved again, or put back to mend a broken file, which is no change.
 *
 * @param ownSave its place in the versions
 * @param isSame whether the file is the version at a place
 */
export function isTakenBack(ownSave: number, { hand }: Save, isSame: (at: number) => boolean): boolean {
  for (let at = 0; at < ownSave; at++) if (isSame(at)) return false;
  return isSame(ownSave + (hand?.back ?? NaN));
}

/**
 * Whether a user who made this save may have saved the file after it, a moment later. A file older than that save was
 * not saved after it: a power failure brought it back, or the user restored a copy.
 */
export function isOwnSave(save: Save, clues: Pick<FileClues, 'nowMs' | 'savedMs'>): boolean {
  return save.hand !== null && isRecentSave(save, clues) && clues.savedMs > save.hand.savedMs;
}

/** The newest held version with the top score; null: one that nobody has read fits better than one that is held. */
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
