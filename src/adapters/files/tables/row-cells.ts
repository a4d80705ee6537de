import { isPlain, NO_EXTRA, type Row } from './rows.ts';
import type { Item, User } from '../../../domain/tables.ts';

/*
 * A row as it is written down, short because a snapshot has all of them: the name, then the values in the order of the
 * columns, unset ones at the end left out. `["book",8]`, `["alice","paid"]`; a name alone is a row that is not there.
 */

export type Cells = [name: string, ...values: (string | number | null | Readonly<Record<string, string>>)[]];

/** JSON of the cells of a row; null: it is not there. Names are of an alphabet that needs no escaping. */
export function renderCells(name: string, row: Row | null): string {
  if (row === null) return `["${name}"]`;
  if (isPlain(row)) {
    return 'item' in row ? `["${name}",${row.quantity}]` : `["${name}","${row.status}"]`;
  }
  const extra = Object.keys(row.extra).length === 0 ? null : row.extra;
  const cells: Cells =
    'item' in row
      ? [name, row.quantity, row.name, row.price, row.reorderLevel, extra]
      : [name, row.status, extra];
  while (cells.at(-1) === null) cells.pop();
  return JSON.stringify(cells);
}

/** @returns null when the row is not there */
export function rowOfCells(cells: Cells): Row | null {
  if (cells.length === 1) return null;
  const [name, first] = cells;
  if (typeof first === 'number') {
    const [, quantity, title = null, price = null, reorderLevel = null, extra] = cells;
    // Up to 0.1.0 an empty name was written down as it is, which no cell of a CSV can tell from none.
    const unset = title === '' ? null : title;
    return { item: name, quantity, name: unset, price, reorderLevel, extra: extra ?? NO_EXTRA } as Item;
  }
  return { user: name, status: first, extra: cells[2] ?? NO_EXTRA } as User;
}
