import type { Edit, LoggedEdit } from '../../domain/edit.ts';
import { isoTime } from './order-line.ts';

/** An edit as a line of edits.jsonl: `{"at":"2026-…Z","by":"…","via":"command","kind":"user",…}`. */
export function renderEdit(edit: LoggedEdit): string {
  const { at, by, via, ...what } = edit;
  return `${JSON.stringify({ at: isoTime(at), by, via, ...what })}\n`;
}

/** @throws SyntaxError when it is no line of ours */
export function parseEdit(line: Buffer): LoggedEdit {
  const { at, ...rest } = JSON.parse(line.toString('utf8')) as Omit<LoggedEdit, 'at'> & { at: string };
  return { ...(rest as Edit & Pick<LoggedEdit, 'by' | 'via'>), at: Date.parse(at) };
}
