import type { EditedRow } from '../../app/tables/edit-log.ts';
import type * as Documents from '../../documents/table.ts';
import { isoSeconds, isoTime } from '../../domain/iso-time.ts';
import { NAMED_DETAILS } from '../../domain/tables.ts';
import type { Session } from '../session.ts';
import { openCsv } from '../output/csv.ts';
import { printTable } from '../output/print-table.ts';
import { changeInWords } from '../output/table-rows.ts';
import { editDocument } from '../../documents/write/table.ts';
import type { Column } from '../output/table.ts';
import { count, LIST_MORE } from '../output/text.ts';

type LoggedDocument = Documents.LoggedUserEdit | Documents.LoggedItemEdit;

export async function printEditLog(
  session: Session,
  table: 'users' | 'inventory',
  { rows, earlier }: { rows: readonly EditedRow[]; earlier: readonly EditedRow[] },
): Promise<void> {
  const { printer, isJson, isCsv } = session;
  if (isJson) {
    await printer.data(`${JSON.stringify({ edits: rows.map(loggedDocument) })}\n`);
    return;
  }
  if (isCsv) {
    await (
      await openCsv(printer, table === 'users' ? USER_CSV : ITEM_CSV)
    )(rows.map(loggedDocument));
    return;
  }
  if (rows.length === 0) {
    printer.info('no edit in the log matches');
    return;
  }
  if (earlier.length > 0) {
    const edits = new Set(earlier.map(({ number }) => number)).size;
    printer.info(
      `${count(earlier.length, 'earlier row')} of ${count(edits, 'edit')} not listed: ${LIST_MORE}`,
    );
  }
  const columns = columnsOf(table, rows);
  const narrower = LEFT_OUT.map((_, at) => {
    return columns.filter(({ title }) => !LEFT_OUT.slice(0, at + 1).includes(title));
  });
  const least = narrower.at(-1) ?? columns;
  narrower.push(least.map((column) => (column.title === 'WHY' ? { ...column, wraps: true } : column)));
  if (await printTable(printer, rows, columns, ...narrower)) return;
  printer.info('shortened to the width of the terminal; -o csv has every column in full');
}

/** Columns that a narrow terminal omits, in this order: the change and its reason matter most. */
const LEFT_OUT = ['BY', 'HOW', 'DELIVERED', 'SOLD'];
const LOGGED = ['edit', 'at', 'by', 'via', 'why', 'undoes'];
const USER_CSV = [...LOGGED, 'user', 'before_status', 'after_status'];
const ITEM_CSV = [
  ...LOGGED,
  'item',
  'sold_before',
  'delivered_before',
  ...['quantity', ...NAMED_DETAILS.map(({ column }) => column)].flatMap((name) => [
    `before_${name}`,
    `after_${name}`,
  ]),
];

function loggedDocument({ number, edit, sold, delivered }: EditedRow): LoggedDocument {
  const { at, by, via, why, undoes } = edit;
  const logged = { edit: number, at: isoTime(at), by, via, why: why ?? null, undoes: undoes ?? null };
  const { before, after } = editDocument(edit);
  const row =
    edit.kind === 'user'
      ? { user: edit.user }
      : { item: edit.item, sold_before: sold, delivered_before: delivered };
  return { ...logged, ...row, before, after } as LoggedDocument;
}

function columnsOf(table: 'users' | 'inventory', rows: readonly EditedRow[]): Column<EditedRow>[] {
  const columns: Column<EditedRow>[] = [
    { title: 'EDIT', align: 'right', isWhole: true, cell: ({ number }) => String(number) },
    { title: 'WHEN', isWhole: true, cell: ({ edit }) => isoSeconds(edit.at) },
    {
      title: table === 'users' ? 'USER' : 'ITEM',
      cell: ({ edit }) => (edit.kind === 'user' ? edit.user : edit.item),
    },
  ];
  if (rows.some(({ sold }) => (sold ?? 0) > 0)) {
    columns.push({ title: 'SOLD', align: 'right', isWhole: true, cell: ({ sold }) => String(sold ?? '') });
  }
  if (rows.some(({ delivered }) => (delivered ?? 0) > 0)) {
    const cell = ({ delivered }: EditedRow): string => String(delivered ?? '');
    columns.push({ title: 'DELIVERED', align: 'right', isWhole: true, cell });
  }
  columns.push(
    { title: 'CHANGE', keepsEnds: true, cell: ({ edit }) => changeInWords(edit) },
    {
      title: 'HOW',
      isWhole: true,
      cell: ({ edit }) => edit.via + (edit.undoes === undefined ? '' : ` ${edit.undoes}`),
    },
    { title: 'BY', cell: ({ edit }) => edit.by },
  );
  if (rows.some(({ edit }) => edit.why !== undefined)) {
    columns.push({ title: 'WHY', cell: ({ edit }) => edit.why ?? '' });
  }
  return columns;
}
