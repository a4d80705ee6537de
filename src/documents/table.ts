import { Type } from 'typebox';
import { USER_STATUSES } from '../domain/tables.ts';
import { Count, Money, nullable, object, Time, type Document } from './shapes.ts';

const EXTRA = Type.Record(Type.String(), Type.String(), {
  description: 'further columns of the file; of items, category among them',
});

/** A user, as `user show` lists them. */
export const User = object({ user: Type.String(), status: Type.Enum(USER_STATUSES), extra: EXTRA });
export type User = Document<typeof User>;

export const UserList = object({ users: Type.Array(User) });
export type UserList = Document<typeof UserList>;

/** An item, as `inventory show` lists them. */
export const Item = object({
  item: Type.String(),
  quantity: Type.Integer({ description: 'on hand; below zero where stores sold what was not there' }),
  name: nullable(Type.String()),
  price: nullable(Money),
  reorder_level: nullable(Count),
  low: Type.Boolean({ description: 'at or under its reorder level, or that of the shop where it has none' }),
  extra: EXTRA,
});
export type Item = Document<typeof Item>;

export const ItemList = object({ items: Type.Array(Item) });
export type ItemList = Document<typeof ItemList>;

const UserState = nullable(object({ status: Type.Enum(USER_STATUSES) }), 'null: there is no such user');

/** An edit of a user. */
export const UserEdit = object({ user: Type.String(), before: UserState, after: UserState });
export type UserEdit = Document<typeof UserEdit>;

const ItemState = nullable(
  object({
    quantity: Type.Integer(),
    name: Type.Optional(nullable(Type.String())),
    category: Type.Optional(nullable(Type.String())),
    price: Type.Optional(nullable(Money)),
    reorder_level: Type.Optional(nullable(Count)),
  }),
  'null: there is no such item. Name, category, price and reorder level are on both sides when one of them has it',
);

/** An edit of an item. */
export const ItemEdit = object({ item: Type.String(), before: ItemState, after: ItemState });
export type ItemEdit = Document<typeof ItemEdit>;

const COUNTED = {
  file: Type.Enum(['users.csv', 'inventory.csv']),
  added: Count,
  changed: Count,
  removed: Count,
  edits: Type.Array(Type.Union([UserEdit, ItemEdit]), { description: 'the first of them' }),
  clamped: Type.Array(object({ item: Type.String(), wanted: Type.Integer(), left: Type.Integer() }), {
    description:
      'stock that would have gone below zero, and what it is now: 0 unless stores had sold more before',
  }),
};

/** What came of `user edit` and `inventory edit`. */
export const TableEdit = object({
  ...COUNTED,
  settled: Type.Array(Type.String(), { description: 'paths of files kept aside that were removed' }),
});
export type TableEdit = Document<typeof TableEdit>;

/** What came, or would come, of `user import` and `inventory import`. */
export const TableImport = object({
  ...COUNTED,
  dry_run: Type.Boolean(),
  unchanged: nullable(Count, 'rows of the list that were there like that'),
});
export type TableImport = Document<typeof TableImport>;

/** What came, or would come, of `user undo` and `inventory undo`. */
export const TableUndo = object({
  ...COUNTED,
  undoes: Type.Integer({ minimum: 1, description: 'number of the edit' }),
  dry_run: Type.Boolean(),
});
export type TableUndo = Document<typeof TableUndo>;

const LOGGED = {
  edit: Type.Integer({ minimum: 1, description: 'its number; rows that were changed together share it' }),
  at: Time,
  by: Type.String({ description: 'the user of the operating system' }),
  via: Type.Enum(['command', 'file', 'import', 'undo', 'consume', 'http', 'sql']),
  why: nullable(Type.String()),
  undoes: nullable(Type.Integer({ minimum: 1 }), 'the edit that it takes back'),
};

export const LoggedUserEdit = object({ ...LOGGED, user: Type.String(), before: UserState, after: UserState });
export type LoggedUserEdit = Document<typeof LoggedUserEdit>;

export const LoggedItemEdit = object({
  ...LOGGED,
  item: Type.String(),
  sold_before: nullable(Type.Integer(), 'since the edit of this item before; null for the first'),
  delivered_before: nullable(Type.Integer(), 'by suppliers, likewise'),
  before: ItemState,
  after: ItemState,
});
export type LoggedItemEdit = Document<typeof LoggedItemEdit>;

/** What `user log` and `inventory log` list. */
export const EditLog = object({ edits: Type.Array(Type.Union([LoggedUserEdit, LoggedItemEdit])) });
