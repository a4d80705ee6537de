import type { SetAside } from '../../../domain/set-aside.ts';
import { extraCell, kindOf, textOf, type CsvTable, type Row } from '../tables/columns.ts';

/**
 * @returns why the file seems incomplete. Users do not delete more than half of a table on purpose, and an editor that
 * has finished saving ends the last line.
 */
export function whatIsMissing<R extends Row>(
  found: CsvTable<R>,
  current: CsvTable<R>,
  base: (name: string) => R | null,
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

/** Whether the last row is the beginning of the original row. */
function isCutShort<R extends Row>(found: CsvTable<R>, base: (name: string) => R | null): boolean {
  const last = [...found.rows.keys()].at(-1);
  if (last === undefined) return false;
  const [was, is] = [base(last), found.rows.get(last)];
  if (was === null || is === undefined) return false;
  const cells = found.columns.map((name) => [cellText(was, name), cellText(is, name)] as const);
  const at = cells.findIndex(([before, now]) => before !== now);
  const [before, now] = cells[at] ?? ['', ''];
  return at !== -1 && before.startsWith(now) && cells.slice(at + 1).every(([, after]) => after === '');
}

function cellText(row: Row, column: string): string {
  const { key, value, nameOf, valueText, optional } = kindOf(row);
  if (column === key) return nameOf(row);
  if (column === value.name) return valueText(row);
  const own = optional.find(({ name }) => name === column);
  if (own === undefined) return extraCell(row.extra, column);
  const text = textOf(row, own.field);
  return own.cut?.(text) ?? text;
}
