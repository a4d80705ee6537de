import { Type, type TSchema } from 'typebox';
import { Count, nullable, object, type Document } from './shapes.ts';

const Versions = Type.Array(Count);
const Level = Type.String({ description: "the registry's name for it, such as BACKWARD" });
const MessageName = Type.String({ description: 'in the catalogue' });
const VERSION = { id: Type.Integer(), version: Count };

/** `schema show`: the schemas that the registry has under a subject. */
const SchemaReport = object({
  message: MessageName,
  subject: Type.String(),
  versions: Versions,
  latest: nullable(object({ ...VERSION, schema: Type.String() })),
  compatibility: Level,
  registered: nullable(
    object({ ...VERSION, is_latest: Type.Boolean() }),
    'the version of the given schema; null: it is not registered',
  ),
});
export type SchemaReport = Document<typeof SchemaReport>;

/** `schema check`: whether the registry would accept a schema. */
const SchemaCheck = object({
  message: MessageName,
  subject: Type.String(),
  compatible: Type.Boolean({ description: "the registry's verdict" }),
  compatibility: Level,
  versions: Versions,
  registered: nullable(object(VERSION)),
  differences: Type.Array(
    object({
      field: Type.String({ description: 'such as items[].quantity; empty for the schema as a whole' }),
      reason: Type.String(),
      version: Count,
      direction: Type.Enum(['backward', 'forward'], {
        description: 'backward: the new schema cannot read what the version wrote; forward: the reverse',
      }),
    }),
  ),
  messages: Type.Array(Type.String(), { description: 'messages of the registry' }),
});
export type SchemaCheck = Document<typeof SchemaCheck>;

/** The output of `schema register`. */
const RegisteredSchema = object({
  message: MessageName,
  subject: Type.String(),
  id: Type.Integer(),
  version: nullable(Count),
  registered: Type.Boolean({ description: 'false: it was registered before' }),
});
export type RegisteredSchema = Document<typeof RegisteredSchema>;

/** With several messages, or with --all, the output is a list of documents. */
const listed = <Schema extends TSchema>(document: Schema) =>
  Type.Union([document, object({ schemas: Type.Array(document) })]);
export const SchemaReports = listed(SchemaReport);
export const SchemaChecks = listed(SchemaCheck);
export const RegisteredSchemas = listed(RegisteredSchema);
