import { Type } from 'typebox';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

const Version = Type.Integer({ minimum: 1, description: 'version of its format' });

/** A summary of a store. */
export const StoreDocument = object({
  store: Type.String({ description: 'path of the folder, or URL of the database' }),
  kind: Type.Enum(['folder', 'postgres']),
  server: nullable(Type.String(), 'version of the server; null: the store has no server'),
  store_id: nullable(Type.String(), 'null: the store was never used'),
  version: Version,
  newest: Type.Integer({ minimum: 1, description: 'the format to which this program upgrades it' }),
  size_bytes: Count,
  rows: Type.Array(object({ name: Type.String(), rows: Count })),
});
export type StoreDocument = Document<typeof StoreDocument>;

/** The result of `store init` and `store migrate`. */
export const MigratedStore = object({
  store: Type.String(),
  before: nullable(Version, 'null: no store existed'),
  version: Version,
});
export type MigratedStore = Document<typeof MigratedStore>;

/** The result of `store copy`. */
export const CopiedStoreDocument = object({
  from: Type.String({ description: 'path of the folder, or URL of the database' }),
  to: Type.String(),
  store_id: Type.String({ description: 'the same for both' }),
  lines: Type.Integer({ minimum: 0, description: 'lines of history added by this run' }),
  continued: Type.Boolean({ description: 'it continued an interrupted copy' }),
});
export type CopiedStoreDocument = Document<typeof CopiedStoreDocument>;

/** The result of `store archive`, also of a dry run. */
export const ArchivedDocument = object({
  store: Type.String(),
  executed: Type.Boolean(),
  before: Time,
  to: nullable(Type.String(), 'folder of the files; null: none was given'),
  accepted: Count,
  rejected: Count,
  from: nullable(Time, 'the first of these decisions; null: there are none'),
  until: nullable(Time, 'the last one'),
  files: Type.Array(Type.String(), { description: 'the files written by this run' }),
});
export type ArchivedDocument = Document<typeof ArchivedDocument>;
