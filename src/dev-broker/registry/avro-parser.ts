import { checkDefaults } from './defaults.ts';
import { invalidSchema } from './errors.ts';
import { isObject, member, parseJson, type JsonObject } from './json.ts';
import {
  namespaceOf,
  PRIMITIVES,
  simpleName,
  type EnumSchema,
  type Field,
  type FixedSchema,
  type NamedParts,
  type NamedSchema,
  type RecordSchema,
  type Schema,
  type UnionSchema,
} from './avro-schema.ts';

/*
 * Parses Avro schemas by the specification, https://avro.apache.org/docs/1.12.0/specification/. What it leaves open is
 * accepted as in Apache Avro for Java, on which the Confluent registry is built.
 */

const PRIMITIVE_NAMES: ReadonlySet<string> = new Set(PRIMITIVES);
/** As in Avro for Java: letters and digits of any script. It does not check namespaces and aliases of fields. */
const NAME = /^[\p{L}_][\p{L}\p{Nd}_]*$/u;

/**
 * @param names known types by full name; those that `text` defines are added
 * @throws RegistryError 42201 when it is not a valid Avro schema
 */
export function parseSchema(text: string, names: Map<string, NamedSchema>): Schema {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw invalidSchema(`it is not valid JSON: ${(error as Error).message}`);
  }
  const parser = new Parser(names);
  const schema = parser.schema(json, '');
  // Only now are all types complete: a default may have a type that refers to itself.
  checkDefaults(parser.fields);
  return schema;
}

class Parser {
  readonly fields: Field[] = [];
  readonly #names: Map<string, NamedSchema>;

  constructor(names: Map<string, NamedSchema>) {
    this.#names = names;
  }

  /** @param namespace of the definition around it */
  schema(json: unknown, namespace: string): Schema {
    if (typeof json === 'string') return this.#byName(json, namespace, {});
    if (Array.isArray(json)) return this.#union(json, namespace);
    if (!isObject(json)) throw invalidSchema(`${shown(json)} is not a schema`);
    const type = member(json, 'type');
    if (typeof type !== 'string') throw invalidSchema(`no type in ${shown(json)}`);
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, namespace);
      case 'enum':
        return this.#enum(json, namespace);
      case 'fixed':
        return this.#fixed(json, namespace);
      case 'array':
        return {
          type,
          items: this.schema(required(json, 'items'), namespace),
          props: propsOf(json, ['items']),
        };
      case 'map':
        return {
          type,
          values: this.schema(required(json, 'values'), namespace),
          props: propsOf(json, ['values']),
        };
      default:
        return this.#byName(type, namespace, propsOf(json, []));
    }
  }

  #byName(name: string, namespace: string, props: JsonObject): Schema {
    const primitive = PRIMITIVES.find((candidate) => candidate === name);
    if (primitive !== undefined) return { type: primitive, props };
    // Java also looks in the null namespace; the specification only in the enclosing one.
    const found = this.#names.get(qualified(name, namespace)) ?? this.#names.get(name);
    if (found === undefined) throw invalidSchema(`undefined type ${shown(name)}`);
    return found;
  }

  #union(json: readonly unknown[], namespace: string): UnionSchema {
    const branches = json.map((branch) => this.schema(branch, namespace));
    const seen = new Set<string>();
    for (const branch of branches) {
      if (branch.type === 'union') throw invalidSchema('a union may not contain another union');
      const key = 'fullName' in branch ? branch.fullName : branch.type;
      if (seen.has(key)) throw invalidSchema(`${key} appears twice in a union`);
      seen.add(key);
    }
    return { type: 'union', branches };
  }

  #record(json: JsonObject, namespace: string): RecordSchema {
    const named = nameOf(json, namespace);
    const list = required(json, 'fields');
    if (!Array.isArray(list)) throw invalidSchema(`the fields of ${named.fullName} are not a list`);
    const fields: Field[] = [];
    const record: RecordSchema = {
      ...named,
      type: 'record',
      isError: json.type === 'error',
      fields,
      props: propsOf(json, ['fields', ...NAMED]),
    };
    // Before its fields: one of them may have this type.
    this.#define(record);
    const seen = new Set<string>();
    for (const item of list as unknown[]) {
      const field = this.#field(item, record);
      if (seen.has(field.name)) throw invalidSchema(`${named.fullName} has field ${field.name} twice`);
      seen.add(field.name);
      fields.push(field);
      this.fields.push(field);
    }
    return record;
  }

  #field(json: unknown, record: RecordSchema): Field {
    if (!isObject(json)) throw invalidSchema(`${shown(json)} in ${record.fullName} is not a field`);
    const name = member(json, 'name');
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw invalidSchema(`${shown(name)} is not a valid name for a field of ${record.fullName}`);
    }
    const order = optionalText(json, 'order');
    if (order !== undefined && !['ascending', 'descending', 'ignore'].includes(order)) {
      throw invalidSchema(`${shown(order)} is not a sort order, in field ${name} of ${record.fullName}`);
    }
    return {
      name,
      aliases: textList(json, 'aliases'),
      type: this.schema(required(json, 'type'), namespaceOf(record.fullName)),
      default: Object.hasOwn(json, 'default') ? { value: json.default } : undefined,
      doc: optionalText(json, 'doc'),
      order,
      props: propsOf(json, ['name', 'aliases', 'default', 'doc', 'order']),
    };
  }

  #enum(json: JsonObject, namespace: string): EnumSchema {
    const named = nameOf(json, namespace);
    if (!Array.isArray(member(json, 'symbols'))) throw invalidSchema(`${named.fullName} has no symbols`);
    const symbols = textList(json, 'symbols');
    for (const symbol of symbols) {
      if (!NAME.test(symbol))
        throw invalidSchema(`${shown(symbol)} is not a valid symbol, in ${named.fullName}`);
    }
    if (new Set(symbols).size < symbols.length) throw invalidSchema(`${named.fullName} has a symbol twice`);
    const fallback = optionalText(json, 'default');
    if (fallback !== undefined && !symbols.includes(fallback)) {
      throw invalidSchema(`the default ${shown(fallback)} is not a symbol of ${named.fullName}`);
    }
    return this.#define({
      ...named,
      type: 'enum',
      symbols,
      default: fallback,
      props: propsOf(json, ['symbols', 'default', ...NAMED]),
    });
  }

  #fixed(json: JsonObject, namespace: string): FixedSchema {
    const named = nameOf(json, namespace);
    const size = member(json, 'size');
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size >= 2 ** 31) {
      throw invalidSchema(`${shown(size)} is not a size, in ${named.fullName}`);
    }
    return this.#define({ ...named, type: 'fixed', size, props: propsOf(json, ['size', ...NAMED]) });
  }

  #define<T extends NamedSchema>(schema: T): T {
    if (this.#names.has(schema.fullName)) throw invalidSchema(`${schema.fullName} is defined twice`);
    this.#names.set(schema.fullName, schema);
    return schema;
  }
}

const NAMED = ['name', 'namespace', 'aliases', 'doc'];

function nameOf(json: JsonObject, enclosing: string): NamedParts {
  const name = member(json, 'name');
  if (typeof name !== 'string') throw invalidSchema(`no name in ${shown(json)}`);
  const namespace = optionalText(json, 'namespace') ?? enclosing;
  const fullName = qualified(name, namespace);
  if (PRIMITIVE_NAMES.has(fullName)) throw invalidSchema(`${name} is the name of a primitive type`);
  const aliases = textList(json, 'aliases').map((alias) => qualified(alias, namespaceOf(fullName)));
  for (const each of [fullName, ...aliases]) {
    if (!NAME.test(simpleName(each))) throw invalidSchema(`${shown(each)} is not a valid name for a type`);
  }
  return { fullName, aliases, doc: optionalText(json, 'doc') };
}

/** A name with a dot is a full name in any namespace. */
function qualified(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function required(json: JsonObject, name: string): unknown {
  const value = member(json, name);
  if (value === undefined) throw invalidSchema(`no ${name} in ${shown(json)}`);
  return value;
}

/** @returns undefined also for a value that is not text: Java ignores such attributes */
function optionalText(json: JsonObject, name: string): string | undefined {
  const value = member(json, name);
  return typeof value === 'string' ? value : undefined;
}

function textList(json: JsonObject, name: string): string[] {
  const value = member(json, name);
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw invalidSchema(`${name} is not a list of strings in ${shown(json)}`);
  }
  return value;
}

function propsOf(json: JsonObject, known: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(json).filter(([name]) => name !== 'type' && !known.includes(name)),
  );
}

/** For a message: a hostile schema is long. */
function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
