import { Type } from 'typebox';
import { Count, nullable, object, type Document } from '../shapes.ts';

/** What `user erase` did, or would do. */
export const ErasedUser = object({
  store: Type.String({ description: 'path of the folder, or URL of the database' }),
  user: Type.String(),
  executed: Type.Boolean(),
  pseudonym: nullable(Type.String(), 'the name that stands for the user now; null: nothing changed'),
  orders: Count,
  lines: Type.Integer({ minimum: 0, description: 'of history, that are written again' }),
  left: Type.Array(Type.String(), { description: 'places in the store that may still hold the name' }),
  elsewhere: Type.Array(Type.String(), { description: 'what no command reaches' }),
});
export type ErasedUser = Document<typeof ErasedUser>;
