import type { SetAside } from '../../../domain/set-aside.ts';
import type { Item, User } from '../../../domain/tables.ts';
import { extraCell } from './merge-rows.ts';
import type { CsvTable } from './view.ts';

/** What a user deletes on purpose is less than half of a table, and an editor that saves ends the last line. */
export function whatIsMissing<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  base: (name: string) => Row | null,
  isEnded: boolean,
): SetAside | null {
  let rows = 0;
  let missing = 0;
  let isTail = true;
  for (const name of current.rows.keys()) {
    if (base(name) === null) continue;
    rows += 1;
    if (!found.rows.has(name)) missing += 1;
    else if (missing > 0) isTail = false;
  }
  if (missing * 2 > rows) return 'rows_missing';
  if (isEnded || !isTail) return null;
  return missing > 0 || isCutShort(found, base) ? 'half_saved' : null;
}

/** Whether the last row is the beginning of what it was. */
function isCutShort<Row extends User | Item>(
  found: CsvTable<Row>,
  base: (name: string) => Row | null,
): boolean {
  const last = [...found.rows.keys()].at(-1);
  if (last === undefined) return false;
  const [was, is] = [base(last), found.rows.get(last)];
  if (was === null || is === undefined) return false;
  const cells = found.columns.map((name) => [cellText(was, name), cellText(is, name)] as const);
  const at = cells.findIndex(([before, now]) => before !== now);
  const [before, now] = cells[at] ?? ['', ''];
  return at !== -1 && before.startsWith(now) && cells.slice(at + 1).every(([, after]) => after === '');
}

function cellText(row: User | Item, column: string): string {
  if ('item' in row) {
    if (column === 'item') return row.item;
    if (column === 'quantity') return String(row.quantity);
    if (column === 'name') return row.name ?? '';
    // As it may stand in a file that was cut in the middle of it.
    if (column === 'price') return (row.price ?? '').replace(/\.?0+$/, '');
    if (column === 'reorder_level') return String(row.reorderLevel ?? '');
  } else {
    if (column === 'user') return row.user;
    if (column === 'status') return row.status;
  }
  return extraCell(row.extra, column);
}
