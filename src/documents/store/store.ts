import { Type } from 'typebox';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

const Version = Type.Integer({ minimum: 1, description: 'of its format' });

/** A store as a whole. */
export const StoreDocument = object({
  store: Type.String({ description: 'path of the folder, or URL of the database' }),
  kind: Type.Enum(['folder', 'postgres']),
  server: nullable(Type.String(), 'version of the server; null: there is none'),
  store_id: nullable(Type.String(), 'null when it was never used'),
  version: Version,
  newest: Type.Integer({ minimum: 1, description: 'format that this program makes of it' }),
  size_bytes: Count,
  rows: Type.Array(object({ name: Type.String(), rows: Count })),
});
export type StoreDocument = Document<typeof StoreDocument>;

/** What `store init` and `store migrate` did. */
export const MigratedStore = object({
  store: Type.String(),
  before: nullable(Version, 'null: there was none'),
  version: Version,
});
export type MigratedStore = Document<typeof MigratedStore>;

/** What `store copy` did. */
export const CopiedStoreDocument = object({
  from: Type.String({ description: 'path of the folder, or URL of the database' }),
  to: Type.String(),
  store_id: Type.String({ description: 'the same for both' }),
  lines: Type.Integer({ minimum: 0, description: 'of history, added by this run' }),
  continued: Type.Boolean({ description: 'it went on with a copy that was interrupted' }),
});
export type CopiedStoreDocument = Document<typeof CopiedStoreDocument>;

/** What `store archive` moves, or has moved. */
export const ArchivedDocument = object({
  store: Type.String(),
  executed: Type.Boolean(),
  before: Time,
  to: nullable(Type.String(), 'folder of the files; null: none was named'),
  accepted: Count,
  rejected: Count,
  from: nullable(Time, 'the first of these decisions; null: there are none'),
  until: nullable(Time, 'the last one'),
  files: Type.Array(Type.String(), { description: 'that were written, by this run' }),
});
export type ArchivedDocument = Document<typeof ArchivedDocument>;
