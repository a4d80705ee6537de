import type { Edit, EditVia, LoggedEdit } from '../../../domain/edit.ts';

export interface EditRow {
  readonly seq: number;
  readonly ordinal: number;
  readonly at: number;
  readonly by_user: string;
  readonly via: EditVia;
  readonly why: string | null;
  readonly undoes: number | null;
  readonly edit: Edit;
}

export const EDIT_COLUMNS = 'seq, ordinal, at, by_user, via, why, undoes, edit';

export function loggedEditOf({ at, by_user: by, via, why, undoes, edit }: EditRow): LoggedEdit {
  return {
    ...edit,
    at,
    by,
    via,
    ...(why === null ? {} : { why }),
    ...(undoes === null ? {} : { undoes }),
  };
}

/** The author and the origin of edits, for the log of edits. */
export interface EditFrom {
  readonly by: string;
  readonly via: EditVia;
  readonly why?: string | undefined;
  readonly undoes?: number | undefined;
}

/** An edit with everything that the log keeps about it. */
export interface EditToLog extends EditFrom {
  readonly seq: number;
  readonly ordinal: number;
  readonly at: number;
  readonly edit: Edit;
  /** Whether an owner has yet to apply it. */
  readonly isNews: boolean;
}

export const INSERT_EDITS = `INSERT INTO orderctl.edits (seq, ordinal, at, by_user, via, why, undoes, edit, is_news)
  SELECT seq, ordinal, at, by_user, via, why, undoes, edit::json, is_news
  FROM unnest($1::bigint[], $2::int[], $3::float8[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[],
    $9::boolean[]) AS e (seq, ordinal, at, by_user, via, why, undoes, edit, is_news)`;

export function editValues(edits: readonly EditToLog[]): unknown[] {
  return [
    edits.map(({ seq }) => seq),
    edits.map(({ ordinal }) => ordinal),
    edits.map(({ at }) => at),
    edits.map(({ by }) => by),
    edits.map(({ via }) => via),
    edits.map(({ why }) => why ?? null),
    edits.map(({ undoes }) => undoes ?? null),
    edits.map(({ edit }) => JSON.stringify(edit)),
    edits.map(({ isNews }) => isNews),
  ];
}

/** Whether the edit changes a row. */
export function changesRow(edit: Edit): boolean {
  if (edit.kind !== 'user' && edit.kind !== 'item') return false;
  return JSON.stringify(edit.before) !== JSON.stringify(edit.after);
}
