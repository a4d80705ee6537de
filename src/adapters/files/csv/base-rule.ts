import type { SetAside } from '../../../domain/set-aside.ts';
import type { Item, User } from '../../../domain/tables.ts';
import { columnNames, extraCell, type CsvTable } from '../tables/columns.ts';
import { writtenColumns } from './render.ts';
import { whatIsMissing } from './half-saved.ts';
import { mergedRow, sameRow } from './merge-rows.ts';

/*
 * Which version of a CSV did the user's editor load? Nobody says, so it is concluded: from the cells that were left
 * alone, from which versions anybody has read at all, and from the user's own last save. No rule is never wrong: where
 * several versions would fit and stock would differ, none is chosen, and the file is set aside. What the numbers below
 * are worth is measured by `npm run simulate:edits`.
 */

/** What rows were in an older version where it differs from the next newer one; null: was not there. */
export type Undo<Row> = ReadonlyMap<string, Row | null>;

/** A file that was saved by hand, as it was saved. */
export interface HandSave {
  /** How many versions before it the one is that it was made from; null: none is known. */
  readonly back: number | null;
  /** When it was saved, milliseconds since the epoch. */
  readonly savedMs: number;
  /**
   * By how much less than this save says there is of an item, where no stock can say it: what an edit would have taken
   * below zero, and what was sold of a row that it removed. An edit made from this save, an undo too, begins there.
   */
  readonly owed?: ReadonlyMap<string, number>;
}

/** One version of a CSV that is or was on disk. */
export interface KnownVersion<Row> {
  /** To it, from the next newer version; of the newest, from the table in force. */
  readonly undo: Undo<Row>;
  /** When it came, milliseconds since the epoch. */
  readonly at: number;
  /** Nobody has read it while it was on disk; false as well where that is not known. */
  readonly unread: boolean;
  /** null: we have written it. */
  readonly hand: HandSave | null;
}

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

/** A held version so little worse than one that nobody has read might be the one that was loaded. */
const NEAR_CELLS = 3;
/** A version that fits worse by this share of the cells in which it differs from the best was not loaded. */
const BEHIND_SHARE = 1 / 4;
/** So few quantities may be changed by the same number by chance. */
const LEAST_ALIKE = 3;
/** So long a user goes on from his own last save. */
const OWN_SAVE_MS = 30 * 60_000;
/** What has stood so long is what an editor has loaded. */
const STOOD_MS = 10 * 60_000;
/** Nobody keeps a file open in an editor for longer, and saves it. */
const FORGOTTEN_MS = 24 * 3_600_000;

/** Rows with others in their place, which may come later. */
export function overlaid<Row>(
  rows: { get(name: string): Row | undefined },
  others: Undo<Row>,
): (name: string) => Row | null {
  return (name) => {
    const row = others.get(name);
    return row === undefined ? (rows.get(name) ?? null) : row;
  };
}

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

/** Rows of a version. */
function rowsOf<Row>(
  current: { readonly rows: { get(name: string): Row | undefined } },
  versions: readonly KnownVersion<Row>[],
  index: number,
): (name: string) => Row | null {
  const overlay = new Map<string, Row | null>();
  for (const { undo } of versions.slice(0, index + 1)) for (const [name, row] of undo) overlay.set(name, row);
  return overlaid(current.rows, overlay);
}

interface Rating {
  /** Cells that are equal in file and version, by version; -1: they have too little in common. */
  readonly equal: Float64Array;
  /** Versions that are the file, row by row. */
  readonly same: ReadonlySet<number>;
}

/** How many cells of two rows are equal. */
interface CellComparer<Row> {
  readonly width: number;
  equal(a: Row, b: Row): number;
}

function rate<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  versions: readonly KnownVersion<Row>[],
  cells: CellComparer<Row>,
): Rating {
  const overlay = new Map<string, Row | null>();
  const version = overlaid(current.rows, overlay);
  let sizeRows = 0;
  let shared = 0;
  let equalCells = 0;
  const alike = new AlikeChanges(found.rows.size);
  const count = (name: string, row: Row | null, sign: 1 | -1): void => {
    if (row === null) return;
    sizeRows += sign;
    const inFile = found.rows.get(name);
    if (inFile === undefined) return;
    shared += sign;
    equalCells += sign * cells.equal(row, inFile);
    if ('quantity' in row && 'quantity' in inFile) alike.count(inFile.quantity - row.quantity, sign);
  };
  for (const [name, row] of current.rows) count(name, row, 1);
  const equal = new Float64Array(versions.length);
  const same = new Set<number>();
  versions.forEach(({ undo }, at) => {
    for (const [name, row] of undo) {
      count(name, version(name), -1);
      overlay.set(name, row);
      count(name, row, 1);
    }
    const isKin = isRelated(shared, sizeRows, found.rows.size, at === 0);
    equal[at] = isKin ? equalCells + alike.explained() : -1;
    const isSame = shared === sizeRows && shared === found.rows.size && equalCells === shared * cells.width;
    if (isSame) same.add(at);
  });
  return { equal, same };
}

/**
 * The same number added to most quantities is one change, not many: it tells a version from all others as well as
 * cells that were left alone, and of these there are none then.
 */
class AlikeChanges {
  readonly #least: number;
  readonly #counts = new Map<number, number>();
  #most = 0;

  constructor(rows: number) {
    this.#least = Math.max(LEAST_ALIKE, rows / 2);
  }

  count(change: number, sign: 1 | -1): void {
    if (change === 0) return;
    const counted = (this.#counts.get(change) ?? 0) + sign;
    this.#counts.set(change, counted);
    if (counted >= this.#least) this.#most = change;
  }

  /** How many cells more are as good as equal. */
  explained(): number {
    const counted = this.#counts.get(this.#most) ?? 0;
    return counted >= this.#least ? counted - 1 : 0;
  }
}

/**
 * At least half of the smaller side is common: neither many new rows pasted into a short table nor most rows deleted
 * from a long one make a file a stranger. What an empty version of long ago has in common with a file says nothing.
 */
function isRelated(shared: number, versionRows: number, fileRows: number, isNewest: boolean): boolean {
  if (versionRows === 0) return isNewest || fileRows === 0;
  return shared * 2 >= Math.min(versionRows, fileRows);
}

/** What stands between each version and the one that fits best. */
interface Distance {
  /** Cells of rows of the file in which they differ, by version. */
  readonly cells: Float64Array;
  /** Whether the merge would come to something else, by version. */
  readonly matters: readonly boolean[];
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
  // What the save was made from: it was taken back in the editor.
  if (save !== undefined && isOwnSave(save, clues) && same.has(ownSave + (save.hand?.back ?? NaN))) {
    return ownSave;
  }

  const isHeld = (at: number): boolean => versions[at]?.unread === false;
  const best = bestOf(equal, top, isHeld);
  if (best === null) return 'ambiguous';
  const { cells, matters } = distances()(best);
  const isBehind = (at: number): boolean =>
    (equal[best] ?? 0) - (equal[at] ?? -1) >= Math.max(1, (cells[at] ?? 0) * BEHIND_SHARE);
  // Made from what the own save was made from, by another window, or by going back in the same one: nobody can tell.
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
 * Whether a user who made this save may have saved the file after it, a moment later. What is older than the save is
 * no save after it: a disk that lost power has brought it back, or a user has put it back from a copy.
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

function compareWith<Row extends User | Item>(
  { equal }: Rating,
  of: {
    readonly found: CsvTable<Row>;
    readonly current: CsvTable<Row>;
    readonly versions: readonly KnownVersion<Row>[];
    readonly cells: CellComparer<Row>;
  },
): (best: number) => Distance {
  const { found, current, versions, cells } = of;
  return (best) => {
    const base = rowsOf(current, versions, best);
    const overlay = new Map<string, Row | null>();
    const version = overlaid(current.rows, overlay);
    /** By name: how many cells differ, and by a half more whether the merge does. */
    const differing = new Map<string, number>();
    let apart = 0;
    let outcomes = 0;
    const compare = (name: string): void => {
      const [a, b, inFile] = [base(name), version(name), found.rows.get(name) ?? null];
      let now = 0;
      if (!sameRow(a, b)) {
        const is = current.rows.get(name) ?? null;
        const outcome = (row: Row | null): Row | null => mergedRow(row, is, inFile, found.columns);
        if (!sameRow(outcome(a), outcome(b))) now += 0.5;
        if (a !== null && b !== null && inFile !== null) now += cells.width - cells.equal(a, b);
      }
      const was = differing.get(name) ?? 0;
      if (was === now) return;
      apart += Math.floor(now) - Math.floor(was);
      outcomes += (now % 1 > 0 ? 1 : 0) - (was % 1 > 0 ? 1 : 0);
      differing.set(name, now);
    };
    const touched = versions.slice(0, best + 1).map(({ undo }) => undo);
    for (const undo of touched) for (const name of undo.keys()) compare(name);
    const distance = { cells: new Float64Array(equal.length), matters: [] as boolean[] };
    versions.forEach(({ undo }, at) => {
      for (const [name, row] of undo) {
        overlay.set(name, row);
        compare(name);
      }
      distance.cells[at] = apart;
      distance.matters.push(outcomes > 0);
    });
    return distance;
  };
}

/**
 * Compares by the columns that both file and table have: a column that was added or dropped makes every row another
 * in every version alike, and would hide which of them the edit was made from.
 */
function cellComparer<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
): CellComparer<Row> {
  const { kind } = current;
  const written = new Set(writtenColumns(current));
  const common = found.columns.filter((name) => written.has(name));
  const ours = columnNames(kind);
  const extras = common.filter((name) => !ours.includes(name));
  const fields = kind.optional.filter(({ name }) => common.includes(name)).map(({ field }) => field);
  const { valueOf } = kind;
  const width = 1 + fields.length + extras.length;
  const equal = (a: Row, b: Row): number => {
    if (a === b) return width;
    let cells = valueOf(a) === valueOf(b) ? 1 : 0;
    for (const field of fields) if (a[field] === b[field]) cells += 1;
    for (const name of extras) if (extraCell(a.extra, name) === extraCell(b.extra, name)) cells += 1;
    return cells;
  };
  return { width, equal };
}
