import type { Item, User } from '../../../domain/tables.ts';
import { columnNames, extraCell, type CsvTable } from '../tables/columns.ts';
import { overlaid, rowsOf, type KnownVersion } from './known-version.ts';
import { mergedRow, sameRow } from './merge-rows.ts';
import { writtenColumns } from '../csv/render.ts';

/* Compares a file with each version that it may have been made from, and these versions with one another. */

/** Up to this many quantities may change by the same amount by chance. */
const LEAST_ALIKE = 3;
export interface Rating {
  /** How many cells are equal in file and version, by version; -1: they have too little in common. */
  readonly equal: Float64Array;
  /** The versions that equal the file, row by row. */
  readonly same: ReadonlySet<number>;
}

export function rate<Row extends User | Item>(
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
 * The same amount added to most quantities is one change, not many. It identifies a version as well as unchanged cells
 * would, of which there are none in that case.
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

  /** How many more cells count as equal. */
  explained(): number {
    const counted = this.#counts.get(this.#most) ?? 0;
    return counted >= this.#least ? counted - 1 : 0;
  }
}

/**
 * Whether both sides have at least half of the rows of the smaller side in common. So a file is still recognised after
 * many new rows were pasted into a short table, or most rows deleted from a long one. An old version that was empty
 * proves nothing.
 */
function isRelated(shared: number, versionRows: number, fileRows: number, isNewest: boolean): boolean {
  if (versionRows === 0) return isNewest || fileRows === 0;
  return shared * 2 >= Math.min(versionRows, fileRows);
}

/** Counts the equal cells of two rows. */
export interface CellComparer<Row> {
  readonly width: number;
  equal(a: Row, b: Row): number;
}

/**
 * Compares only the columns that both file and table have: a column that was added or dropped would make every row
 * differ from every version alike, and hide the version that the edit was made from.
 */
export function cellComparer<Row extends User | Item>(
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

/** The differences between each version and the one that fits best. */
export interface Distance {
  /** In how many cells of the file's rows they differ, by version. */
  readonly cells: Float64Array;
  /** Whether the merge would have a different outcome, by version. */
  readonly matters: readonly boolean[];
}

export function compareWith<Row extends User | Item>(
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
    /** By name: how many cells differ, plus a half if the outcome of the merge does. */
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
