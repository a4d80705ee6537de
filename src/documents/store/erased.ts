import { Type } from 'typebox';
import { Count, nullable, object, type Document } from '../shapes.ts';

/** The result of `user erase`, also of a dry run. */
export const ErasedUser = object({
  store: Type.String({ description: 'path of the folder, or URL of the database' }),
  user: Type.String(),
  executed: Type.Boolean(),
  pseudonym: nullable(Type.String(), 'the name that replaces the user; null: nothing changed'),
  orders: Count,
  lines: Type.Integer({ minimum: 0, description: 'lines of history to rewrite' }),
  left: Type.Array(Type.String(), { description: 'places in the store that may still hold the name' }),
  elsewhere: Type.Array(Type.String(), { description: 'places that no command can clean' }),
});
export type ErasedUser = Document<typeof ErasedUser>;
