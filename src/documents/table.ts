import { Type, type TOptional } from 'typebox';
import {
  ITEM_DETAILS,
  NAMED_DETAILS,
  USER_STATUSES,
  type DetailKind,
  type ItemDetail,
  type NamedDetail,
} from '../domain/tables.ts';
import { Count, Money, nullable, object, Time, type Document } from './shapes.ts';

const EXTRA = Type.Record(Type.String(), Type.String(), {
  description: 'additional columns of the file, such as category for items',
});

/** A user, as in `user show`. */
export const User = object({ user: Type.String(), status: Type.Enum(USER_STATUSES), extra: EXTRA });
export type User = Document<typeof User>;

export const UserList = object({ users: Type.Array(User) });
export type UserList = Document<typeof UserList>;

const VALUES = { text: Type.String(), price: Money, quantity: Count };

type Shape<Kind extends DetailKind> = ReturnType<typeof nullable<(typeof VALUES)[Kind]>>;
type Shapes = { [D in ItemDetail as D['column']]: Shape<D['kind']> };
type NamedShapes = {
  [C in NamedDetail['column']]: TOptional<C extends keyof Shapes ? Shapes[C] : Shape<'text'>>;
};

const DETAILS = Object.fromEntries(
  ITEM_DETAILS.map(({ column, kind }) => [column, nullable(VALUES[kind])]),
) as unknown as Shapes;
const NAMED = Object.fromEntries(
  NAMED_DETAILS.map(({ column, kind }) => [column, Type.Optional(nullable(VALUES[kind]))]),
) as unknown as NamedShapes;

/** An item, as in `inventory show`. */
export const Item = object({
  item: Type.String(),
  quantity: Type.Integer({ description: 'on hand; below zero if stores sold more than the books had' }),
  ...DETAILS,
  low: Type.Boolean({ description: "at or below its reorder level, or the shop's if it has none" }),
  extra: EXTRA,
});
export type Item = Document<typeof Item>;

export const ItemList = object({ items: Type.Array(Item) });
export type ItemList = Document<typeof ItemList>;

const UserState = nullable(object({ status: Type.Enum(USER_STATUSES) }), 'null: the user does not exist');

/** An edit of a user. */
export const UserEdit = object({ user: Type.String(), before: UserState, after: UserState });
export type UserEdit = Document<typeof UserEdit>;

const ItemState = nullable(
  object({ quantity: Type.Integer(), ...NAMED }),
  'null: the item does not exist. A detail is in both states if either has it',
);

/** An edit of an item. */
export const ItemEdit = object({ item: Type.String(), before: ItemState, after: ItemState });
export type ItemEdit = Document<typeof ItemEdit>;

const COUNTED = {
  file: Type.Enum(['users.csv', 'inventory.csv']),
  added: Count,
  changed: Count,
  removed: Count,
  edits: Type.Array(Type.Union([UserEdit, ItemEdit]), { description: 'the first edits' }),
  clamped: Type.Array(object({ item: Type.String(), wanted: Type.Integer(), left: Type.Integer() }), {
    description:
      'stock that would have gone below zero, and its value now: 0, unless it was below zero before',
  }),
};

/** The result of `user edit` and `inventory edit`. */
export const TableEdit = object({
  ...COUNTED,
  settled: Type.Array(Type.String(), { description: 'paths of files set aside that were removed' }),
});
export type TableEdit = Document<typeof TableEdit>;

/** The result of `user import` and `inventory import`, also of a dry run. */
export const TableImport = object({
  ...COUNTED,
  dry_run: Type.Boolean(),
  unchanged: nullable(Count, 'rows of the list that required no change'),
});
export type TableImport = Document<typeof TableImport>;

/** The result of `user undo` and `inventory undo`, also of a dry run. */
export const TableUndo = object({
  ...COUNTED,
  undoes: Type.Integer({ minimum: 1, description: 'number of the undone edit' }),
  dry_run: Type.Boolean(),
});
export type TableUndo = Document<typeof TableUndo>;

const LOGGED = {
  edit: Type.Integer({ minimum: 1, description: 'its number; rows changed together share it' }),
  at: Time,
  by: Type.String({ description: 'the operating-system user' }),
  via: Type.Enum(['command', 'file', 'import', 'undo', 'consume', 'http', 'sql']),
  why: nullable(Type.String()),
  undoes: nullable(Type.Integer({ minimum: 1 }), 'the edit that this one undoes'),
};

export const LoggedUserEdit = object({ ...LOGGED, user: Type.String(), before: UserState, after: UserState });
export type LoggedUserEdit = Document<typeof LoggedUserEdit>;

export const LoggedItemEdit = object({
  ...LOGGED,
  item: Type.String(),
  sold_before: nullable(
    Type.Integer(),
    'units sold since the previous edit of this item; null for the first',
  ),
  delivered_before: nullable(Type.Integer(), 'units delivered by suppliers since then; null for the first'),
  before: ItemState,
  after: ItemState,
});
export type LoggedItemEdit = Document<typeof LoggedItemEdit>;

/** The output of `user log` and `inventory log`. */
export const EditLog = object({ edits: Type.Array(Type.Union([LoggedUserEdit, LoggedItemEdit])) });
