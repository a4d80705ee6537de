import type { TableEdit, TableImport, TableUndo } from '../../documents/table.ts';
import type { TableMerge } from '../../ports/table-copy.ts';
import { printNotice } from '../output/store-notices.ts';
import { editLine } from '../output/table-rows.ts';
import { editDocument } from '../../documents/write/table.ts';
import { count } from '../output/text.ts';
import type { Session } from '../session.ts';

/** The keys that a document has beside those of all. */
type More =
  Omit<TableEdit, keyof Counted> | Omit<TableImport, keyof Counted> | Omit<TableUndo, keyof Counted>;
type Counted = Omit<TableEdit, 'settled'>;

/** Prints what came, or would come, of several edits of a table. */
export async function printMerge(
  { printer, isJson }: Session,
  { table, merge, more }: { table: 'users' | 'inventory'; merge: TableMerge; more: More },
): Promise<void> {
  const { added, changed, removed, isRearranged, clamped } = merge;
  const edits = merge.edits.flatMap((edit) => (edit.kind === 'user' || edit.kind === 'item' ? [edit] : []));
  for (const { item, wanted } of clamped) printNotice(printer, { kind: 'stock_clamped', item, wanted });
  if (isJson) {
    const counts = { file: `${table}.csv`, added, changed, removed } as const;
    const document = { ...counts, edits: edits.map(editDocument), clamped, ...more };
    await printer.data(`${JSON.stringify(document)}\n`);
    return;
  }
  await printer.data(edits.map((edit) => `${editLine(edit)}\n`).join(''));
  const total = added + changed + removed;
  const left = total - edits.length;
  if (left > 0) printer.info(`and ${count(left, 'row')} more`);
  if (total > 0) printer.info(`${table}.csv: ${added} added, ${changed} changed, ${removed} removed`);
  else printer.info(isRearranged ? `${table}.csv: in another order` : 'nothing changed');
}
