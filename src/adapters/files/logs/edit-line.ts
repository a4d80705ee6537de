import type { Edit, EditOrigin, LoggedEdit } from '../../../domain/edit.ts';
import { isoTime } from '../../../domain/iso-time.ts';
import type { Item } from '../../../domain/tables.ts';
import type { MergeOptions } from '../../../ports/table-copy.ts';

/** The user who makes an edit, and its origin. */
export type EditFrom = Pick<LoggedEdit, 'by' | keyof EditOrigin>;

/** The same for a copy, with its MergeOptions. */
export type MergeFrom = EditFrom & Pick<MergeOptions, 'unlessEdited'>;

/** The fields of a line besides the edit; `seq` is the number of its transaction. */
export type EditStamp = EditFrom & Pick<LoggedEdit, 'at' | 'copy'> & { readonly seq: number };

/** @returns an edit as a line of edits.jsonl: `{"seq":12,"at":"2026-…Z","by":"…","via":"command","kind":"user",…}` */
export function editRenderer({ seq, at, by, via, copy, why, undoes }: EditStamp): (edit: Edit) => string {
  // Undefined fields are left out.
  const begin = JSON.stringify({ seq, at: isoTime(at), by, via, copy, why, undoes }).slice(0, -1);
  return (edit) => `${begin},${JSON.stringify(edit).slice(1)}\n`;
}

type EditJson = Edit &
  Pick<LoggedEdit, 'by' | 'via' | 'copy'> & { readonly at: string; readonly seq?: number };

/** @throws SyntaxError when orderctl did not write it */
export function parseEdit(line: Buffer): LoggedEdit {
  const { at, ...edit } = JSON.parse(line.toString('utf8')) as EditJson;
  delete (edit as { seq?: number }).seq;
  const logged: LoggedEdit = { ...edit, at: Date.parse(at) };
  // Older lines name no processor, because there was only one.
  if (logged.kind === 'position') {
    return { ...logged, processor: (logged as Partial<typeof logged>).processor ?? 'orders' };
  }
  if (logged.kind !== 'item') return logged;
  return { ...logged, before: withoutEmptyName(logged.before), after: withoutEmptyName(logged.after) };
}

/** See row-cells.ts. */
function withoutEmptyName(item: Item | null): Item | null {
  return item?.name === '' ? { ...item, name: null } : item;
}
