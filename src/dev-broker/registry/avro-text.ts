import {
  COMPLEX,
  namespaceOf,
  PRIMITIVES,
  simpleName,
  type Field,
  type NamedSchema,
  type RecordSchema,
  type Schema,
} from './avro-schema.ts';
import { isObject, type JsonObject } from './json.ts';

/**
 * The canonical text of a schema: without white space, attributes in the order in which Avro for Java writes them, names
 * as short as possible. Schemas with the same text are the same.
 *
 * @param known full names defined elsewhere: written as names
 * @param isNormalized sorts the other attributes too, so that their order does not matter
 */
export function schemaText(schema: Schema, known: Iterable<string>, isNormalized: boolean): string {
  return JSON.stringify(new Writer(known, isNormalized).schema(schema, ''));
}

class Writer {
  readonly #known: Set<string>;
  readonly #isNormalized: boolean;

  constructor(known: Iterable<string>, isNormalized: boolean) {
    this.#known = new Set(known);
    this.#isNormalized = isNormalized;
  }

  /** @param namespace of the definition around it */
  schema(schema: Schema, namespace: string): unknown {
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- the rest are the primitive types
    switch (schema.type) {
      case 'union':
        return schema.branches.map((branch) => this.schema(branch, namespace));
      case 'array':
        return { type: 'array', items: this.schema(schema.items, namespace), ...this.#props(schema.props) };
      case 'map':
        return { type: 'map', values: this.schema(schema.values, namespace), ...this.#props(schema.props) };
      case 'record':
      case 'enum':
      case 'fixed':
        return this.#named(schema, namespace);
      default:
        return Object.keys(schema.props).length === 0
          ? schema.type
          : { type: schema.type, ...this.#props(schema.props) };
    }
  }

  #named(schema: NamedSchema, enclosing: string): unknown {
    const { fullName, doc } = schema;
    const namespace = namespaceOf(fullName);
    if (this.#known.has(fullName)) return shortName(fullName, enclosing);
    this.#known.add(fullName);
    return {
      type: schema.type === 'record' && schema.isError ? 'error' : schema.type,
      name: simpleName(fullName),
      ...(namespace === enclosing ? {} : { namespace }),
      ...(doc === undefined ? {} : { doc }),
      ...this.#body(schema, namespace),
      ...this.#props(schema.props),
      ...aliasesOf(schema.aliases.map((alias) => shortName(alias, namespace))),
    };
  }

  #body(schema: NamedSchema, namespace: string): object {
    switch (schema.type) {
      case 'fixed':
        return { size: schema.size };
      case 'enum':
        return {
          symbols: schema.symbols,
          ...(schema.default === undefined ? {} : { default: schema.default }),
        };
      case 'record':
        return { fields: this.#fields(schema, namespace) };
    }
  }

  #fields({ fields }: RecordSchema, namespace: string): object[] {
    return fields.map((field: Field) => ({
      name: field.name,
      type: this.schema(field.type, namespace),
      ...(field.doc === undefined ? {} : { doc: field.doc }),
      ...(field.default === undefined ? {} : { default: field.default.value }),
      ...(field.order === undefined || field.order === 'ascending' ? {} : { order: field.order }),
      ...aliasesOf(field.aliases),
      ...this.#props(field.props),
    }));
  }

  #props(props: JsonObject): JsonObject {
    return this.#isNormalized ? (sorted(props) as JsonObject) : props;
  }
}

/** Names that would be read as built-in types when written short. */
const TYPE_WORDS: ReadonlySet<string> = new Set([...PRIMITIVES, ...COMPLEX]);

function shortName(fullName: string, namespace: string): string {
  const name = simpleName(fullName);
  return namespaceOf(fullName) === namespace && !TYPE_WORDS.has(name) ? name : fullName;
}

function aliasesOf(aliases: readonly string[]): object {
  return aliases.length === 0 ? {} : { aliases };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, sorted(item)]));
}
