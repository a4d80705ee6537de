import type { TableEdit, TableImport, TableUndo } from '../../documents/table.ts';
import type { TableMerge } from '../../ports/table-copy.ts';
import type { RowEdit } from '../../app/tables/import-plan.ts';
import { printNotice } from '../output/store-notices.ts';
import { editLine } from '../output/table-rows.ts';
import { editDocument } from '../../documents/write/table.ts';
import { count } from '../output/text.ts';
import type { Session } from '../session.ts';

/** The keys of a document besides those that all have. */
type More =
  Omit<TableEdit, keyof Counted> | Omit<TableImport, keyof Counted> | Omit<TableUndo, keyof Counted>;
type Counted = Omit<TableEdit, 'settled'>;

/** Rows listed, so that the totals after them stay on the screen. */
const ON_A_TERMINAL = 15;

/** Planned edits, as the merge that they would result in. */
export function asMerge(edits: readonly RowEdit[]): TableMerge {
  return {
    added: edits.filter(({ before }) => before === null).length,
    changed: edits.filter(({ before, after }) => before !== null && after !== null).length,
    removed: edits.filter(({ after }) => after === null).length,
    edits,
    isRearranged: false,
    clamped: [],
  };
}

/** Prints the result, or in a dry run the expected result, of several edits of a table. */
export async function printMerge(
  { printer, isJson }: Session,
  { table, merge, more }: { table: 'users' | 'inventory'; merge: TableMerge; more: More },
): Promise<void> {
  const { added, changed, removed, isRearranged, clamped } = merge;
  const edits = merge.edits.flatMap((edit) => (edit.kind === 'user' || edit.kind === 'item' ? [edit] : []));
  for (const one of clamped) printNotice(printer, { kind: 'stock_clamped', ...one });
  if (isJson) {
    const counts = { file: `${table}.csv`, added, changed, removed } as const;
    const document = { ...counts, edits: edits.map(editDocument), clamped, ...more };
    await printer.data(`${JSON.stringify(document)}\n`);
    return;
  }
  const isDry = 'dry_run' in more && more.dry_run;
  const listed = printer.isDataLive ? edits.slice(0, ON_A_TERMINAL) : edits;
  await printer.text(listed.map((edit) => `${editLine(edit, isDry)}\n`).join(''));
  const total = added + changed + removed;
  const left = total - listed.length;
  if (left > 0) {
    printer.info(`and ${count(left, 'row')} more${edits.length < total ? '' : ': -o json lists them'}`);
  }
  if (total > 0)
    printer.info(
      `${table}.csv: ${added}${isDry ? ' would be' : ''} added, ${changed} changed, ${removed} removed`,
    );
  else printer.info(isRearranged ? `${table}.csv: in another order` : 'nothing changed');
}
