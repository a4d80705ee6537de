import type { JsonObject } from './json.ts';

/* Parsed Avro schemas: `avro-parser.ts` reads them from text, `avro-text.ts` writes them as text. */

export const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
export const COMPLEX = ['record', 'error', 'enum', 'fixed', 'array', 'map', 'union'] as const;

export interface NamedParts {
  /** With its namespace. */
  readonly fullName: string;
  /** Full names. */
  readonly aliases: readonly string[];
  readonly doc: string | undefined;
}

export interface Field {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: Schema;
  /** The default itself may be null. */
  readonly default: { readonly value: unknown } | undefined;
  readonly doc: string | undefined;
  readonly order: string | undefined;
  readonly props: JsonObject;
}

interface WithProps {
  /** All other attributes, logical types among them, in the order given. */
  readonly props: JsonObject;
}

type PrimitiveSchema = WithProps & { readonly type: (typeof PRIMITIVES)[number] };
type ArraySchema = WithProps & { readonly type: 'array'; readonly items: Schema };
type MapSchema = WithProps & { readonly type: 'map'; readonly values: Schema };
export interface UnionSchema {
  readonly type: 'union';
  readonly branches: readonly Schema[];
}
export type FixedSchema = WithProps & NamedParts & { readonly type: 'fixed'; readonly size: number };
export type EnumSchema = WithProps &
  NamedParts & {
    readonly type: 'enum';
    readonly symbols: readonly string[];
    readonly default: string | undefined;
  };
export type RecordSchema = WithProps &
  NamedParts & {
    readonly type: 'record';
    /** `"type":"error"`, of protocols: a record in all but name. */
    readonly isError: boolean;
    readonly fields: readonly Field[];
  };
export type NamedSchema = FixedSchema | EnumSchema | RecordSchema;
export type Schema = PrimitiveSchema | ArraySchema | MapSchema | UnionSchema | NamedSchema;

/** The part of a full name before its last dot; empty when it has none. */
export function namespaceOf(fullName: string): string {
  return fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')));
}

export function simpleName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}
