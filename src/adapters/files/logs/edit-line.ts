import type { Edit, EditOrigin, LoggedEdit } from '../../../domain/edit.ts';
import { isoTime } from '../../../domain/iso-time.ts';
import type { Item } from '../../../domain/tables.ts';

/** Who makes an edit, and how. */
export type EditFrom = Pick<LoggedEdit, 'by' | keyof EditOrigin>;

/** What stands in a line beside the edit. */
export type EditStamp = EditFrom & Pick<LoggedEdit, 'at' | 'copy'>;

/** @returns what makes an edit a line of edits.jsonl: `{"at":"2026-…Z","by":"…","via":"command","kind":"user",…}` */
export function editRenderer({ at, by, via, copy, why, undoes }: EditStamp): (edit: Edit) => string {
  // What is undefined is left out.
  const begin = JSON.stringify({ at: isoTime(at), by, via, copy, why, undoes }).slice(0, -1);
  return (edit) => `${begin},${JSON.stringify(edit).slice(1)}\n`;
}

/** @throws SyntaxError when it is no line of ours */
export function parseEdit(line: Buffer): LoggedEdit {
  const { at, ...rest } = JSON.parse(line.toString('utf8')) as Omit<LoggedEdit, 'at'> & { at: string };
  const edit = { ...(rest as Edit & Pick<LoggedEdit, 'by' | 'via'>), at: Date.parse(at) };
  if (edit.kind !== 'item') return edit;
  return { ...edit, before: withoutEmptyName(edit.before), after: withoutEmptyName(edit.after) };
}

/** As in row-cells.ts. */
function withoutEmptyName(item: Item | null): Item | null {
  return item?.name === '' ? { ...item, name: null } : item;
}
