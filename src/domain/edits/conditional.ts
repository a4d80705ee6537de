import { decideEdit, type Edit, type EditRequest } from '../edit.ts';
import { newFact, type FactLog } from '../facts.ts';
import { Failure } from '../failure.ts';
import type { State, StateChanges } from '../state.ts';
import type { Item, User } from '../tables.ts';

/** An edit of one row. */
export type RowRequest = Exclude<EditRequest, { kind: 'dead_letter.mark' }>;

/** What has to hold for an edit, in the commit that makes it. */
export interface EditConditions {
  /** The row still is as it was read; null: it may be whatever it is; `another`: it is another already. */
  readonly row: User | Item | 'another' | null;
  /** Names the request, which is made once however often it comes; null: it has no name. */
  readonly key: string | null;
}

export interface ConditionalEdit {
  readonly edit: Edit;
  /** It was made before: this is what it did then. */
  readonly isRepeat: boolean;
}

/** An edit that has a name: a line of `named-edits.jsonl`. */
interface NamedEdit extends Record<string, unknown> {
  readonly key: string;
  readonly request: RowRequest;
  readonly edit: Edit;
}

export const NAMED_EDITS: FactLog<NamedEdit> = { name: 'named-edits', key: 'key' };

/**
 * As decideEdit, under conditions. Its name comes first: a request that was made has changed the row itself.
 *
 * @throws Failure changed_since, already_exists (the key names another request), and those of decideEdit
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

/** The same for rows whose cells are the same, in whatever order they are. */
function cellsOf({ extra, ...row }: User | Item): string {
  const byName = (cells: object) => Object.entries(cells).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([byName(row), byName(extra)]);
}

function changed(request: RowRequest): Failure {
  const what = 'item' in request ? `item ${request.item}` : `user ${request.user}`;
  return new Failure('changed_since', `${what} has changed since it was read`, {
    fix: 'read it again, and edit what is there now',
  });
}

function otherRequest(): Failure {
  return new Failure('already_exists', 'the key was given to another request before', {
    fix: 'give a request of its own a key of its own',
  });
}
