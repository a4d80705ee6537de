import type { EnumSchema, Field, FixedSchema, NamedSchema, RecordSchema, Schema } from './avro-schema.ts';
import { simpleName } from './avro-schema.ts';
import { invalidSchema } from './errors.ts';

/*
 * Whether what was written with one schema can be read with another: "Schema Resolution" of the Avro specification,
 * https://avro.apache.org/docs/1.12.0/specification/#schema-resolution, with the verdicts and the words of
 * SchemaCompatibility in Avro for Java, which the Confluent registry asks.
 */

export const LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
export type Level = (typeof LEVELS)[number];

export type IncompatibilityKind =
  | 'NAME_MISMATCH'
  | 'FIXED_SIZE_MISMATCH'
  | 'MISSING_ENUM_SYMBOLS'
  | 'READER_FIELD_MISSING_DEFAULT_VALUE'
  | 'TYPE_MISMATCH'
  | 'MISSING_UNION_BRANCH'
  /** Java throws here; to the Confluent registry that is an incompatibility, too. */
  | 'AMBIGUOUS_FIELD';

export interface Incompatibility {
  readonly kind: IncompatibilityKind;
  /** In the reader's schema (in the writer's below a union): `/fields/2/type`. */
  readonly path: string;
  /** What is missing, or what both sides are. */
  readonly detail: string;
}

/** The same with the side that reads. */
export interface Difference extends Incompatibility {
  readonly reader: 'new' | 'old';
}

/** Whether a level asks for every earlier version and not for the latest alone. */
export function isTransitive(level: Level): boolean {
  return level.endsWith('_TRANSITIVE');
}

/** What a level has against `candidate` after `existing`; empty when nothing. */
export function differences(level: Level, candidate: Schema, existing: Schema): Difference[] {
  const isBackward = level.startsWith('BACKWARD') || level.startsWith('FULL');
  const isForward = level.startsWith('FORWARD') || level.startsWith('FULL');
  return [
    ...(isBackward
      ? resolve(candidate, existing).map((found) => ({ ...found, reader: 'new' as const }))
      : []),
    ...(isForward ? resolve(existing, candidate).map((found) => ({ ...found, reader: 'old' as const })) : []),
  ];
}

/**
 * @returns why values of `writer` cannot be read with `reader`; empty when they can
 * @throws RegistryError 42201 when the two are too large to be compared
 */
export function resolve(reader: Schema, writer: Schema): readonly Incompatibility[] {
  return new Resolution().compare(reader, writer);
}

/** What a person gets to read of a difference. */
export function inWords({ kind, path, detail, reader }: Difference): string {
  const writer = reader === 'new' ? 'old' : 'new';
  return `{errorType:'${kind}', description:'${sentence(kind, path, detail, reader, writer)}', additionalInfo:'${detail}'}`;
}

function sentence(
  kind: IncompatibilityKind,
  path: string,
  detail: string,
  reader: string,
  writer: string,
): string {
  switch (kind) {
    case 'NAME_MISMATCH':
      return `The name of the type at path '${path}' of the ${reader} schema is another one in the ${writer} schema`;
    case 'FIXED_SIZE_MISMATCH':
      return `The size of the fixed type at path '${path}' of the ${reader} schema is another one in the ${writer} schema`;
    case 'MISSING_ENUM_SYMBOLS':
      return `The ${reader} schema lacks symbols ${detail} at path '${path}' that the ${writer} schema has`;
    case 'READER_FIELD_MISSING_DEFAULT_VALUE':
      return `The field '${detail}' at path '${path}' of the ${reader} schema has no default value and is missing in the ${writer} schema`;
    case 'TYPE_MISMATCH':
      return `The type at path '${path}' of the ${reader} schema does not match the ${writer} schema`;
    case 'MISSING_UNION_BRANCH':
      return `The ${reader} schema lacks a type in the union at path '${path}' that the ${writer} schema has`;
    case 'AMBIGUOUS_FIELD':
      return `The field '${detail}' at path '${path}' of the ${reader} schema is more than one of the ${writer} schema by its name and aliases`;
  }
}

/** Types of the writer that a type of the reader takes besides its own. */
const PROMOTIONS: Readonly<Partial<Record<Schema['type'], readonly Schema['type'][]>>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes'],
};

/** Comparisons of two types: schemas of a thousand fields take some ten thousand. */
const MAX_COMPARISONS = 300_000;
/** Types within types, by name; each takes a few frames of the stack. */
const MAX_DEPTH = 500;
/** A type that occurs everywhere would be reported everywhere. */
const MAX_FOUND = 100;
const NOTHING: readonly Incompatibility[] = [];

/** Compares one pair of schemas. What is found below a type is kept with paths that begin there. */
class Resolution {
  readonly #known = new Map<Schema, Map<Schema, readonly Incompatibility[]>>();
  /** Pairs held to be compatible, in the order in which that was assumed. */
  readonly #assumed: (readonly [Schema, Schema])[] = [];
  #comparisons = 0;
  #depth = 0;

  compare(reader: Schema, writer: Schema): readonly Incompatibility[] {
    this.#comparisons += 1;
    const known = this.#known.get(reader)?.get(writer);
    if (known !== undefined) return known;
    if (this.#comparisons > MAX_COMPARISONS || this.#depth >= MAX_DEPTH) {
      throw invalidSchema('it is too large to be compared with an earlier one');
    }
    // A type that refers to itself is compatible as long as nothing else in it is not.
    const mark = this.#assumed.length;
    this.#assumed.push([reader, writer]);
    this.#remember(reader, writer, NOTHING);
    this.#depth += 1;
    const found = this.#differences(reader, writer).slice(0, MAX_FOUND);
    this.#depth -= 1;
    if (found.length > 0) {
      // What was concluded from the assumption falls with it.
      for (const [r, w] of this.#assumed.splice(mark)) this.#known.get(r)?.delete(w);
      this.#remember(reader, writer, found);
    }
    return found;
  }

  #remember(reader: Schema, writer: Schema, found: readonly Incompatibility[]): void {
    const byWriter = this.#known.get(reader) ?? new Map<Schema, readonly Incompatibility[]>();
    this.#known.set(reader, byWriter.set(writer, found));
  }

  #differences(reader: Schema, writer: Schema): readonly Incompatibility[] {
    if (writer.type === 'union') return this.#fromUnion(reader, writer.branches);
    if (reader.type === 'union') {
      const isReadable = reader.branches.some((branch) => this.compare(branch, writer).length === 0);
      return isReadable ? NOTHING : [missingBranch(writer)];
    }
    if (reader.type === 'array' && writer.type === 'array') {
      return below('items', this.compare(reader.items, writer.items));
    }
    if (reader.type === 'map' && writer.type === 'map') {
      return below('values', this.compare(reader.values, writer.values));
    }
    if (reader.type === 'fixed' && writer.type === 'fixed') return sizes(reader, writer);
    if (reader.type === 'enum' && writer.type === 'enum') return symbols(reader, writer);
    if (reader.type === 'record' && writer.type === 'record') return this.#records(reader, writer);
    if (reader.type === writer.type || PROMOTIONS[reader.type]?.includes(writer.type) === true) {
      return NOTHING;
    }
    const detail = `reader type: ${typeName(reader)} not compatible with writer type: ${typeName(writer)}`;
    return [{ kind: 'TYPE_MISMATCH', path: '/', detail }];
  }

  /** Every branch of the writer's union may have been written. */
  #fromUnion(reader: Schema, branches: readonly Schema[]): readonly Incompatibility[] {
    if (reader.type !== 'union') {
      return branches.flatMap((branch, i) => below(String(i), this.compare(reader, branch)));
    }
    return branches.flatMap((branch, i) =>
      this.compare(reader, branch).length === 0 ? [] : below(String(i), [missingBranch(branch)]),
    );
  }

  #records(reader: RecordSchema, writer: RecordSchema): readonly Incompatibility[] {
    // Those of the writer that the reader lacks are read past.
    const written = new Map(writer.fields.map((field) => [field.name, field]));
    const fields = reader.fields.flatMap((field, i) => {
      const [from, ...others] = writtenAs(field, written);
      if (others.length > 0) {
        return [{ kind: 'AMBIGUOUS_FIELD', path: `/fields/${i}`, detail: field.name } as const];
      }
      if (from !== undefined) return below(`fields/${i}/type`, this.compare(field.type, from.type));
      if (field.default !== undefined) return [];
      const kind = 'READER_FIELD_MISSING_DEFAULT_VALUE';
      return [{ kind, path: `/fields/${i}`, detail: field.name } as const];
    });
    return [...names(reader, writer), ...fields];
  }
}

/** The fields of the writer that a field of the reader takes by its name and aliases: one, unless the schema is odd. */
function writtenAs(field: Field, written: ReadonlyMap<string, Field>): Field[] {
  const names = new Set([field.name, ...field.aliases]);
  return [...names].flatMap((name) => written.get(name) ?? []);
}

/** Namespaces are not compared, except by way of an alias. */
function names(reader: NamedSchema, writer: NamedSchema): Incompatibility[] {
  const isSame =
    simpleName(reader.fullName) === simpleName(writer.fullName) || reader.aliases.includes(writer.fullName);
  return isSame ? [] : [{ kind: 'NAME_MISMATCH', path: '/name', detail: `expected: ${writer.fullName}` }];
}

function sizes(reader: FixedSchema, writer: FixedSchema): Incompatibility[] {
  const detail = `expected: ${writer.size}, found: ${reader.size}`;
  const isSame = reader.size === writer.size;
  return [
    ...names(reader, writer),
    ...(isSame ? [] : [{ kind: 'FIXED_SIZE_MISMATCH', path: '/size', detail } as const]),
  ];
}

/** A symbol that the reader does not know becomes its default. */
function symbols(reader: EnumSchema, writer: EnumSchema): Incompatibility[] {
  const known = new Set(reader.symbols);
  const missing = reader.default === undefined ? writer.symbols.filter((symbol) => !known.has(symbol)) : [];
  const detail = `[${missing.join(', ')}]`;
  return [
    ...names(reader, writer),
    ...(missing.length === 0 ? [] : [{ kind: 'MISSING_ENUM_SYMBOLS', path: '/symbols', detail } as const]),
  ];
}

function missingBranch(writer: Schema): Incompatibility {
  const detail = `reader union lacking writer type: ${typeName(writer)}`;
  return { kind: 'MISSING_UNION_BRANCH', path: '/', detail };
}

function below(step: string, found: readonly Incompatibility[]): Incompatibility[] {
  return found.map((one) => ({ ...one, path: one.path === '/' ? `/${step}` : `/${step}${one.path}` }));
}

/** RECORD, as Java's enum prints it. */
function typeName(schema: Schema): string {
  return schema.type.toUpperCase();
}
