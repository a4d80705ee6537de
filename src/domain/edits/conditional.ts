import { decideEdit, type Edit, type EditRequest } from '../edit.ts';
import { newFact, type FactLog } from '../facts.ts';
import { Failure } from '../failure.ts';
import type { State, StateChanges } from '../state.ts';
import type { Item, User } from '../tables.ts';

/** An edit of one row. */
export type RowRequest = Exclude<EditRequest, { kind: 'dead_letter.mark' }>;

/** The conditions that must hold when an edit is committed. */
export interface EditConditions {
  /** The row as it was read, which must not have changed; null: not checked; `another`: it has changed already. */
  readonly row: User | Item | 'another' | null;
  /** Idempotency key: a request with a key is executed once, however often it is sent; null: it has no key. */
  readonly key: string | null;
}

export interface ConditionalEdit {
  readonly edit: Edit;
  /** The request was executed before; `edit` is its result from then. */
  readonly isRepeat: boolean;
}

/** An edit whose request has an idempotency key: a line of `named-edits.jsonl`. */
interface NamedEdit extends Record<string, unknown> {
  readonly key: string;
  readonly request: RowRequest;
  readonly edit: Edit;
}

export const NAMED_EDITS: FactLog<NamedEdit> = { name: 'named-edits', key: 'key' };

/**
 * decideEdit under conditions. The key is checked before the row, since a request that was executed before has changed
 * the row itself.
 *
 * @throws Failure changed_since, already_exists (the key was used for a different request), and as decideEdit
 */
export function decideConditionalEdit(
  request: RowRequest,
  { row, key }: EditConditions,
  state: Pick<State, 'user' | 'item' | 'facts'>,
): { readonly changes: Pick<StateChanges, 'edits' | 'facts'>; readonly result: ConditionalEdit } {
  const [made] = key === null ? [] : state.facts(NAMED_EDITS, key);
  if (made !== undefined) {
    if (JSON.stringify(made.request) !== JSON.stringify(request)) throw otherRequest();
    return { changes: {}, result: { edit: made.edit, isRepeat: true } };
  }
  const edit = decideEdit(request, state);
  if (row !== null && (row === 'another' || !isRowBefore(edit, row))) throw changed(request);
  const facts = key === null ? [] : [newFact(NAMED_EDITS, { key, request, edit })];
  return { changes: { edits: [edit], facts }, result: { edit, isRepeat: false } };
}

function isRowBefore(edit: Edit, row: User | Item): boolean {
  if (edit.kind !== 'user' && edit.kind !== 'item') return false;
  return edit.before !== null && cellsOf(edit.before) === cellsOf(row);
}

/** The cells of a row as text, independent of their order. */
function cellsOf({ extra, ...row }: User | Item): string {
  const byName = (cells: object) => Object.entries(cells).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([byName(row), byName(extra)]);
}

function changed(request: RowRequest): Failure {
  const what = 'item' in request ? `item ${request.item}` : `user ${request.user}`;
  return new Failure('changed_since', `${what} has changed since it was read`, {
    fix: 'read it again, then edit its current values',
  });
}

function otherRequest(): Failure {
  return new Failure('already_exists', 'the key was already used for a different request', {
    fix: 'use a new key for each new request',
  });
}
