import type { Item, User } from '../../../domain/tables.ts';

/*
 * What becomes of single rows in the three-way merge of a hand edit: the row in the base, the row in force, the row
 * in the file.
 */

/** Stock that an edit would have taken below zero: it is 0 now. */
export interface Clamped {
  readonly item: string;
  readonly wanted: number;
}

/** Whether two rows are the same to a reader of the file, where an unset column is an empty cell. */
export function sameRow(a: User | Item | null, b: User | Item | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return sameOwnCells(a, b) && sameExtra(a.extra, b.extra);
}

function sameOwnCells(a: User | Item, b: User | Item): boolean {
  if ('item' in a) {
    return (
      'item' in b &&
      a.item === b.item &&
      a.quantity === b.quantity &&
      a.name === b.name &&
      a.price === b.price &&
      a.reorderLevel === b.reorderLevel
    );
  }
  return 'user' in b && a.user === b.user && a.status === b.status;
}

type Extra = Readonly<Record<string, string>>;

function sameExtra(a: Extra, b: Extra): boolean {
  if (a === b) return true;
  for (const key in a) if (extraCell(a, key) !== extraCell(b, key)) return false;
  for (const key in b) if (extraCell(a, key) !== extraCell(b, key)) return false;
  return true;
}

/** Own keys only: a column may be called `constructor`. */
export function extraCell(extra: Extra, key: string): string {
  return Object.hasOwn(extra, key) ? (extra[key] ?? '') : '';
}

/**
 * The row after the merge. A quantity counts as the difference to the base, so that sales since are kept; of other
 * cells a changed one wins. A row that is missing in the file is removed. A row that the file adds is added; when it
 * exists by now, or was removed meanwhile while the user changed it, it is as the file says.
 *
 * @param columns of the file
 * @returns null: it is not there
 */
export function mergedRow<R extends User | Item>(
  base: R | null,
  current: R | null,
  found: R | null,
  columns: readonly string[],
  clamped: Clamped[] = [],
  owed = 0,
): R | null {
  if (found === null) return base === null ? current : null;
  if (base === null)
    return current === null ? lessOwed(found, owed, clamped) : overwrite(current, found, columns);
  if (sameRow(base, found)) return current;
  return current === null ? found : mergeRow(base, current, found, columns, clamped, owed);
}

/** A row that is put back. */
function lessOwed<Row extends User | Item>(found: Row, owed: number, clamped: Clamped[]): Row {
  if (owed === 0 || !('item' in found)) return found;
  return { ...found, quantity: atLeastZero(found.item, found.quantity - owed, clamped) };
}

function atLeastZero(item: string, wanted: number, clamped: Clamped[]): number {
  if (wanted >= 0) return Math.min(wanted, Number.MAX_SAFE_INTEGER);
  clamped.push({ item, wanted });
  return 0;
}

/** The current row with every cell that the file has. */
function overwrite<Row extends User | Item>(current: Row, found: Row, columns: readonly string[]): Row {
  const extra = { ...current.extra, ...found.extra };
  if (!('item' in current)) return { ...found, extra };
  const kept: Partial<Item> = {
    ...(columns.includes('name') ? {} : { name: current.name }),
    ...(columns.includes('price') ? {} : { price: current.price }),
    ...(columns.includes('reorder_level') ? {} : { reorderLevel: current.reorderLevel }),
  };
  return { ...found, ...kept, extra };
}

/** The current row with the cells that differ between the base and the file. */
function mergeRow<Row extends User | Item>(
  base: Row,
  current: Row,
  found: Row,
  columns: readonly string[],
  clamped: Clamped[],
  owed: number,
): Row {
  const extra = mergeExtra(base.extra, current.extra, found.extra, columns);
  if ('item' in base && 'item' in current && 'item' in found) {
    const merged: Item = {
      item: current.item,
      quantity: atLeastZero(
        current.item,
        current.quantity + (found.quantity - base.quantity) - owed,
        clamped,
      ),
      name: base.name === found.name ? current.name : found.name,
      price: base.price === found.price ? current.price : found.price,
      reorderLevel: base.reorderLevel === found.reorderLevel ? current.reorderLevel : found.reorderLevel,
      extra,
    };
    return merged as Row;
  }
  const status = 'status' in base && 'status' in found && base.status !== found.status ? found : current;
  return { ...status, extra };
}

/** Columns that the file does not have are kept only where they hold something: else a dropped one came back. */
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
