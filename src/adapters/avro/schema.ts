/*
 * Parses Avro schemas as other programs registered them. Only what reading needs is checked: names may be any text,
 * because registries and libraries differ in what they accept, and defaults are ignored. Source:
 * https://avro.apache.org/docs/1.12.0/specification/#schema-declaration
 */

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
type Primitive = (typeof PRIMITIVES)[number];
/** Schemas are written by hand and never nest this deep. */
const MAX_DEPTH = 500;
/** More places than any amount has. */
const MAX_SCALE = 1_000;

/** The logical type of a number or bytes, where it changes how they are read. */
export type Meaning =
  | { readonly kind: 'decimal'; readonly scale: number }
  /** A time since the epoch, in units of 1/perMs ms. */
  | { readonly kind: 'moment'; readonly perMs: number }
  | { readonly kind: 'day' }
  | { readonly kind: 'time_of_day' };

export interface Field {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: Schema;
  readonly hasDefault: boolean;
}

export interface Named {
  /** With its namespace. */
  readonly name: string;
  /** With their namespaces. */
  readonly aliases: readonly string[];
}

interface Plain {
  readonly type: Primitive;
  readonly meaning: Meaning | null;
}
interface Fixed extends Named {
  readonly type: 'fixed';
  readonly size: number;
  readonly meaning: Meaning | null;
}
interface Enum extends Named {
  readonly type: 'enum';
  readonly symbols: readonly string[];
  readonly hasDefault: boolean;
}
/** Includes the `error` types of protocols. */
export interface RecordSchema extends Named {
  readonly type: 'record';
  readonly fields: readonly Field[];
}
export type Schema =
  | Plain
  | Fixed
  | Enum
  | RecordSchema
  | { readonly type: 'array'; readonly items: Schema }
  | { readonly type: 'map'; readonly items: Schema }
  | { readonly type: 'union'; readonly branches: readonly Schema[] };

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * @param references schemas that `text` refers to, each after the schemas that it refers to itself
 * @throws Error when a text is not a valid Avro schema
 */
export function parseSchema(text: string, references: readonly string[]): Schema {
  const parser = new Parser();
  for (const reference of references) parser.schema(JSON.parse(reference), '', 0);
  return parser.schema(JSON.parse(text), '', 0);
}

class Parser {
  /** Types by full name. */
  readonly #names = new Map<string, Schema>();

  /** @param namespace of the enclosing definition */
  schema(json: unknown, namespace: string, depth: number): Schema {
    if (depth > MAX_DEPTH) throw new Error(`it nests deeper than ${MAX_DEPTH}`);
    if (typeof json === 'string') return this.#byName(json, namespace, {});
    if (Array.isArray(json)) {
      return { type: 'union', branches: json.map((branch) => this.schema(branch, namespace, depth + 1)) };
    }
    if (!isObject(json)) throw new Error(`${show(json)} is not a type`);
    const { type } = json;
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, depth);
      case 'enum':
        return this.#define({
          ...namedBy(json, namespace),
          type,
          symbols: texts(json.symbols, json),
          hasDefault: json.default !== undefined,
        });
      case 'fixed': {
        const { size } = json;
        if (typeof size !== 'number' || !Number.isInteger(size) || size < 0)
          throw new Error(`${show(json)} has no size`);
        return this.#define({ ...namedBy(json, namespace), type, size, meaning: meaningOf('bytes', json) });
      }
      case 'array':
        return { type, items: this.schema(json.items, namespace, depth + 1) };
      case 'map':
        return { type, items: this.schema(json.values, namespace, depth + 1) };
      default:
        if (typeof type === 'string') return this.#byName(type, namespace, json);
        return this.schema(type, namespace, depth + 1);
    }
  }

  #byName(name: string, namespace: string, attributes: JsonObject): Schema {
    const type = PRIMITIVES.find((primitive) => primitive === name);
    if (type !== undefined) return { type, meaning: meaningOf(type, attributes) };
    // Avro for Java also looks in the null namespace.
    const found = this.#names.get(qualified(name, namespace)) ?? this.#names.get(name);
    if (found === undefined) throw new Error(`there is no type ${show(name)}`);
    return found;
  }

  #record(json: JsonObject, namespace: string, depth: number): RecordSchema {
    if (!Array.isArray(json.fields)) throw new Error(`${show(json)} has no fields`);
    const fields: Field[] = [];
    const record: RecordSchema = { ...namedBy(json, namespace), type: 'record', fields };
    // Defined before its fields: one of them may have this type.
    this.#define(record);
    const inner = namespaceOf(record.name);
    for (const field of json.fields as readonly unknown[]) {
      if (!isObject(field) || typeof field.name !== 'string')
        throw new Error(`${show(field)} is not a field`);
      fields.push({
        name: field.name,
        aliases: texts(field.aliases ?? [], field),
        type: this.schema(field.type, inner, depth + 1),
        hasDefault: field.default !== undefined,
      });
    }
    return record;
  }

  #define<T extends Schema & Named>(schema: T): T {
    this.#names.set(schema.name, schema);
    return schema;
  }
}

/** The fewest bytes that values of a schema take; Infinity for a record that must contain itself. */
export class Widths {
  readonly #known = new Map<Schema, number>();

  of(type: Schema): number {
    const known = this.#known.get(type);
    if (known !== undefined) return known;
    // A type met again before its width is known is a record that must contain itself.
    this.#known.set(type, Infinity);
    const width = this.#compute(type);
    this.#known.set(type, width);
    return width;
  }

  #compute(type: Schema): number {
    if (type.type === 'null') return 0;
    if (type.type === 'fixed') return type.size;
    if (type.type !== 'record') return 1;
    return type.fields.reduce((sum, field) => sum + this.of(field.type), 0);
  }
}

/** @returns null where the logical type does not matter, or does not fit the type and is ignored, as in Avro */
function meaningOf(type: Primitive, { logicalType, scale = 0 }: JsonObject): Meaning | null {
  switch (`${String(logicalType)} ${type}`) {
    case 'decimal bytes':
      return typeof scale === 'number' && Number.isInteger(scale) && scale >= 0 && scale <= MAX_SCALE
        ? { kind: 'decimal', scale }
        : null;
    case 'date int':
      return { kind: 'day' };
    case 'timestamp-micros long':
    case 'local-timestamp-micros long':
      return { kind: 'moment', perMs: 1_000 };
    case 'timestamp-nanos long':
    case 'local-timestamp-nanos long':
      return { kind: 'moment', perMs: 1_000_000 };
    case 'time-millis int':
    case 'time-micros long':
      return { kind: 'time_of_day' };
    default:
      return null;
  }
}

/** The part of a full name after its last dot. */
export function simpleName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}

function namespaceOf(fullName: string): string {
  return fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')));
}

function namedBy(json: JsonObject, enclosing: string): Named {
  const { name, namespace, aliases } = json;
  if (typeof name !== 'string') throw new Error(`${show(json)} has no name`);
  const fullName = qualified(name, typeof namespace === 'string' ? namespace : enclosing);
  const inner = namespaceOf(fullName);
  return { name: fullName, aliases: texts(aliases ?? [], json).map((alias) => qualified(alias, inner)) };
}

/** A name with a dot is a full name in any namespace. */
function qualified(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function texts(value: unknown, json: JsonObject): readonly string[] {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value;
  throw new Error(`a list of names is expected in ${show(json)}`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Shortened for messages: a schema may be long. */
function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
