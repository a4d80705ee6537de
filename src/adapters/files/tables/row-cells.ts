import {
  INVENTORY,
  isPlain,
  kindOf,
  NO_EXTRA,
  NO_VALUES,
  USERS,
  type Extra,
  type OwnValue,
  type Row,
  type TableKind,
} from './columns.ts';

/*
 * A row as it is stored, short because a snapshot has all rows: the name, then the values in the order of the columns,
 * other columns as an object; unset ones at the end are left out. `["book",8]`, `["alice","paid"]`; a name alone means
 * that the row does not exist.
 */

type Cell = OwnValue | Extra;
export type Cells = [name: string, ...values: Cell[]];

/** JSON of the cells of a row; null: no such row. Names use an alphabet that needs no escaping. */
export function renderCells(name: string, row: Row | null): string {
  if (row === null) return `["${name}"]`;
  const value = 'item' in row ? row.quantity : row.status;
  if (isPlain(row)) return typeof value === 'number' ? `["${name}",${value}]` : `["${name}","${value}"]`;
  const cells: Cells = [name, value];
  for (const { field } of kindOf(row).optional) cells.push(row[field]);
  cells.push(Object.keys(row.extra).length === 0 ? null : row.extra);
  while (cells.at(-1) === null) cells.pop();
  return JSON.stringify(cells);
}

/** @returns null when the row does not exist */
export function rowOfCells(cells: Cells): Row | null {
  if (cells.length === 1) return null;
  const [name, value] = cells;
  return typeof value === 'number'
    ? rowOf(INVENTORY, name, value, cells)
    : rowOf(USERS, name, USERS.value.read(value as string) ?? NaN, cells);
}

function rowOf<R extends Row>(kind: TableKind<R>, name: string, value: number, cells: Cells): R {
  if (cells.length === 2) return kind.row(name, value, NO_VALUES, NO_EXTRA);
  const own: OwnValue[] = [];
  let extra = NO_EXTRA;
  for (let at = 2; at < cells.length; at++) {
    const cell = cells[at] ?? null;
    // Other columns come last, whichever columns of ours existed when the line was written.
    if (typeof cell === 'object' && cell !== null) extra = cell;
    // Up to 0.1.0 an empty name was stored as it is, which a CSV cannot distinguish from none.
    else own.push(cell === '' ? null : cell);
  }
  return kind.row(name, value, own, extra);
}
