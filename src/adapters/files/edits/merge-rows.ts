import { leastStock } from '../../../domain/tables.ts';
import { extraCell, kindOf, type Extra, type Row } from '../tables/columns.ts';

/*
 * What happens to a single row in the three-way merge of a hand edit: the row in the base, the current row, the row in
 * the file.
 */

/** Stock that an edit would have taken below zero. */
export interface Clamped {
  readonly item: string;
  readonly wanted: number;
  /** The stock after the merge: 0, or the stock before it if that was less. */
  readonly left: number;
}

type RowsByName = Pick<ReadonlyMap<string, Row>, 'keys' | 'get'>;

/** Whether two rows are the same to a reader of the file, where an unset column is an empty cell. */
export function sameRow(a: Row | null, b: Row | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return sameOwnCells(a, b) && sameExtra(a.extra, b.extra);
}

/** The names whose rows differ, or that only one of the two has. */
export function differingNames(a: RowsByName, b: RowsByName): Set<string> {
  const names = [...a.keys(), ...b.keys()];
  return new Set(names.filter((name) => !sameRow(a.get(name) ?? null, b.get(name) ?? null)));
}

function sameOwnCells<R extends Row>(a: R, b: R): boolean {
  const { optional, nameOf, valueOf } = kindOf(a);
  if (nameOf(a) !== nameOf(b) || valueOf(a) !== valueOf(b)) return false;
  for (const { field } of optional) if (a[field] !== b[field]) return false;
  return true;
}

function sameExtra(a: Extra, b: Extra): boolean {
  if (a === b) return true;
  for (const key in a) if (extraCell(a, key) !== extraCell(b, key)) return false;
  for (const key in b) if (extraCell(a, key) !== extraCell(b, key)) return false;
  return true;
}

/**
 * The row after the merge. A quantity counts as its difference from the base, so that sales since then are kept; of
 * other cells, a changed one wins. A row that is missing from the file is removed. A row that the file adds is added;
 * if it exists by now, or was removed while the user changed it, the file's row wins.
 *
 * @param columns the columns of the file
 * @returns null: no such row
 */
export function mergedRow<R extends Row>(
  base: R | null,
  current: R | null,
  found: R | null,
  columns: readonly string[],
  clamped: Clamped[] = [],
  owed = 0,
): R | null {
  if (found === null) return base === null ? current : null;
  if (base === null)
    return current === null ? lessOwed(found, owed, clamped) : overwrite(current, found, columns, clamped);
  if (sameRow(base, found)) return current;
  return current === null
    ? lessOwed(found, 0, clamped)
    : mergeRow(base, current, found, columns, clamped, owed);
}

/** A row that is put back, less its shortfall. */
function lessOwed<R extends Row>(found: R, owed: number, clamped: Clamped[]): R {
  if (!('item' in found) || (owed === 0 && found.quantity >= 0)) return found;
  return { ...found, quantity: notBelow(0, found.item, found.quantity - owed, clamped) };
}

/** @param least as `leastStock` returns it */
function notBelow(least: number, item: string, wanted: number, clamped: Clamped[]): number {
  if (wanted >= least) return Math.min(wanted, Number.MAX_SAFE_INTEGER);
  clamped.push({ item, wanted, left: least });
  return least;
}

/** The current row with every cell of the file. */
function overwrite<R extends Row>(current: R, found: R, columns: readonly string[], clamped: Clamped[]): R {
  const kept = kindOf(found).optional.filter(({ name }) => !columns.includes(name));
  const { withValue } = kindOf(found);
  return {
    ...('item' in current && 'item' in found && found.quantity < 0
      ? withValue(found, notBelow(leastStock(current.quantity), found.item, found.quantity, clamped))
      : found),
    ...Object.fromEntries(kept.map(({ field }) => [field, current[field]])),
    extra: { ...current.extra, ...found.extra },
  };
}

/** The current row with the cells that differ between the base and the file. */
function mergeRow<R extends Row>(
  base: R,
  current: R,
  found: R,
  columns: readonly string[],
  clamped: Clamped[],
  owed: number,
): R {
  const { optional, valueOf, withValue } = kindOf(current);
  const change = valueOf(found) - valueOf(base);
  const value =
    'item' in current
      ? notBelow(leastStock(current.quantity), current.item, current.quantity + change - owed, clamped)
      : valueOf(change === 0 ? current : found);
  const changed = optional.filter(({ field }) => base[field] !== found[field]);
  return {
    ...withValue(current, value),
    ...Object.fromEntries(changed.map(({ field }) => [field, found[field]])),
    extra: mergeExtra(base.extra, current.extra, found.extra, columns),
  };
}

/** Columns that the file lacks are kept only where they have a value; otherwise a dropped column would come back. */
function mergeExtra(base: Extra, current: Extra, found: Extra, columns: readonly string[]): Extra {
  const cells: [string, string][] = [];
  for (const key of new Set([...Object.keys(found), ...Object.keys(current)])) {
    const was = extraCell(base, key);
    const is = extraCell(found, key);
    const cell = is === was ? extraCell(current, key) : is;
    if (cell !== '' || columns.includes(key)) cells.push([key, cell]);
  }
  return Object.fromEntries(cells);
}
