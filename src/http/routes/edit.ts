import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type, type TSchema } from 'typebox';
import type { EditConditions, RowRequest } from '../../domain/edits/conditional.ts';
import { checkWhy } from '../../domain/edit.ts';
import type { Item, User } from '../../domain/tables.ts';
import { Problem } from '../../documents/http/problem.ts';
import type { ItemEdit, UserEdit } from '../../documents/table.ts';
import { editDocument, itemEntry, userEntry } from '../../documents/write/table.ts';
import type { KeptView } from '../../ports/access.ts';
import type { Shop } from '../shop.ts';

/** Headers of requests for one row (RFC 9110, sections 13.1 and 8.8.3). */
export const READ_HEADERS = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({ description: 'an ETag: the answer is 304 if the row still has it' }),
  ),
});
export const ADD_HEADERS = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'identifies the request, which is carried out once however often it is sent',
    }),
  ),
});
const EDIT_HEADERS = Type.Object({
  ...ADD_HEADERS.properties,
  'if-match': Type.Optional(
    Type.String({
      description: 'an ETag: nothing is edited, and the answer is 412, if the row no longer has it',
    }),
  ),
});

export const NOT_MODIFIED = Type.Null({ description: 'the row is still as the client has it' });
const EDIT_RESPONSE = { 404: Problem, 409: Problem, 412: Problem, 422: Problem };

/** The schema of a request that changes a row which exists; some have a body as well. @param edit its answer */
export function changeSchema<T extends TSchema>(tags: string[], summary: string, params: TSchema, edit: T) {
  return { tags, summary, params, headers: EDIT_HEADERS, response: { 200: edit, ...EDIT_RESPONSE } };
}

/** Makes an edit as the commands do: the same rules, logged as made over HTTP. @throws Failure of editIf */
export async function answerEdit(
  { access, view, onNotice, onEdit }: Pick<Shop, 'access' | 'view' | 'onNotice' | 'onEdit'>,
  edit: RowRequest,
  why: string | undefined,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<UserEdit | ItemEdit> {
  if (why !== undefined) checkWhy(why);
  const key = headers['idempotency-key'];
  const conditions = {
    row: headers['if-match'] === undefined ? null : await rowOf(view, edit, headers['if-match']),
    key: typeof key === 'string' ? createHash('sha256').update(key).digest('hex') : null,
  };
  const { edit: made, isRepeat } = await access.editIf(edit, conditions, { via: 'http', why, onNotice });
  onEdit();
  if (made.kind !== 'user' && made.kind !== 'item')
    throw new Error(`the store answered an edit of a row with ${made.kind}`);
  if (isRepeat) void reply.header('idempotent-replayed', 'true');
  else if (made.after !== null) void reply.header('etag', tagOf(made.after));
  return editDocument(made);
}

/**
 * The state that a row must have for an edit, by `If-Match`. A row that differs already is not an error yet: if this is
 * a repeated request, its first execution changed the row.
 */
async function rowOf(view: KeptView, edit: RowRequest, wanted: string): Promise<EditConditions['row']> {
  if (wanted.trim() === '*') return null;
  const row = await view.lookAtRows<Item | User | undefined>((reader) =>
    'item' in edit ? reader.itemNamed(edit.item) : reader.userNamed(edit.user),
  );
  return row !== undefined && tagsIn(wanted).includes(tagOf(row)) ? row : 'another';
}

/** Answers with a row, or with 304 if the client already has it. */
export function answerRow<Entry>(
  row: User | Item,
  entry: Entry,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Entry | FastifyReply {
  const tag = tagOf(row);
  void reply.header('etag', tag);
  const known = headers['if-none-match'];
  // Weak comparison: W/ is ignored.
  const isKnown =
    known !== undefined && (known.trim() === '*' || tagsIn(known.replaceAll('W/', '')).includes(tag));
  return isKnown ? reply.code(304).send() : entry;
}

/** The entity tags of a list. Weak tags match no row. */
function tagsIn(list: string): readonly string[] {
  return list.split(',').map((tag) => tag.trim());
}

/** The ETag of a row, which changes whenever a cell does. */
function tagOf(row: User | Item): string {
  const entry = 'item' in row ? itemEntry(row, 0) : userEntry(row);
  const extra = Object.entries(entry.extra).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([{ ...entry, extra: null }, extra]);
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}
