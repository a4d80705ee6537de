import type { EnumSchema, Field, FixedSchema, NamedSchema, RecordSchema, Schema } from './avro-schema.ts';
import { simpleName } from './avro-schema.ts';
import { invalidSchema } from './errors.ts';

/*
 * Whether values written with one schema can be read with another: "Schema Resolution" of the Avro specification,
 * https://avro.apache.org/docs/1.12.0/specification/#schema-resolution, with the verdicts and the terms of
 * SchemaCompatibility in Avro for Java, which the Confluent registry uses.
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

type IncompatibilityKind =
  | 'NAME_MISMATCH'
  | 'FIXED_SIZE_MISMATCH'
  | 'MISSING_ENUM_SYMBOLS'
  | 'READER_FIELD_MISSING_DEFAULT_VALUE'
  | 'TYPE_MISMATCH'
  | 'MISSING_UNION_BRANCH'
  /** Java throws here, which the Confluent registry counts as an incompatibility. */
  | 'AMBIGUOUS_FIELD';

interface Incompatibility {
  readonly kind: IncompatibilityKind;
  /** `/fields/2/type`, in the reader's schema; only branch numbers are the writer's. */
  readonly path: string;
  /** What is missing, or the two that differ. */
  readonly detail: string;
}

export interface Difference extends Incompatibility {
  readonly reader: 'new' | 'old';
}

/** Whether a level covers all earlier versions, not only the latest. */
export function isTransitive(level: Level): boolean {
  return level.endsWith('_TRANSITIVE');
}

/** @returns why a level forbids `candidate` after `existing`; empty when it does not */
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
 * @throws RegistryError 42201 when the two are too large to compare
 */
export function resolve(reader: Schema, writer: Schema): readonly Incompatibility[] {
  const found: Incompatibility[] = [];
  flatten(new Resolution().compare(reader, writer), '', found);
  return found;
}

/** A difference in Confluent's form for users. */
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
      return `The name of the type at path '${path}' of the ${reader} schema differs from the ${writer} schema`;
    case 'FIXED_SIZE_MISMATCH':
      return `The size of the fixed type at path '${path}' of the ${reader} schema differs from the ${writer} schema`;
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

/** Reader's type to other writer's types that it accepts. */
const PROMOTIONS: Readonly<Partial<Record<Schema['type'], readonly Schema['type'][]>>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes'],
};

/** Comparisons of types, fields and symbols: schemas with a thousand fields take about ten thousand. */
const MAX_STEPS = 300_000;
/** Nested types; each takes a few stack frames. */
const MAX_DEPTH = 500;
/** A type that is used everywhere would be reported everywhere. */
const MAX_FOUND = 100;

/** Findings below a step of the path. A type is compared once; all its places share the findings. */
type Found = readonly (Leaf | { readonly step: string; readonly inside: Found })[];
interface Leaf {
  readonly kind: IncompatibilityKind;
  readonly detail: string;
}
const NOTHING: Found = [];

function flatten(found: Found, path: string, into: Incompatibility[]): void {
  for (const one of found) {
    if (into.length === MAX_FOUND) return;
    if ('step' in one) flatten(one.inside, `${path}/${one.step}`, into);
    else into.push({ kind: one.kind, path: path === '' ? '/' : path, detail: one.detail });
  }
}

function below(step: string, inside: Found): Found {
  return inside.length === 0 ? NOTHING : [{ step, inside }];
}

class Resolution {
  readonly #known = new Map<Schema, Map<Schema, Found>>();
  /** Pairs assumed to be compatible, in order of assumption. */
  readonly #assumed: (readonly [Schema, Schema])[] = [];
  #steps = 0;
  #depth = 0;

  compare(reader: Schema, writer: Schema): Found {
    this.#spend(1);
    const known = this.#known.get(reader)?.get(writer);
    if (known !== undefined) return known;
    // A type that refers to itself is compatible unless something else in it is not.
    const mark = this.#assumed.length;
    this.#assumed.push([reader, writer]);
    this.#remember(reader, writer, NOTHING);
    this.#depth += 1;
    const found = this.#differences(reader, writer);
    this.#depth -= 1;
    if (found.length > 0) {
      // Conclusions drawn from the assumption are void too.
      for (const [r, w] of this.#assumed.splice(mark)) this.#known.get(r)?.delete(w);
      this.#remember(reader, writer, found);
    }
    return found;
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_STEPS || this.#depth > MAX_DEPTH) {
      throw invalidSchema('it is too large to compare with an earlier one');
    }
  }

  #remember(reader: Schema, writer: Schema, found: Found): void {
    const byWriter = this.#known.get(reader) ?? new Map<Schema, Found>();
    this.#known.set(reader, byWriter.set(writer, found));
  }

  #differences(reader: Schema, writer: Schema): Found {
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
    if (reader.type === 'enum' && writer.type === 'enum') return this.#enums(reader, writer);
    if (reader.type === 'record' && writer.type === 'record') return this.#records(reader, writer);
    if (reader.type === writer.type || PROMOTIONS[reader.type]?.includes(writer.type) === true) {
      return NOTHING;
    }
    const detail = `reader type: ${typeName(reader)} not compatible with writer type: ${typeName(writer)}`;
    return [{ kind: 'TYPE_MISMATCH', detail }];
  }

  /** Any branch of the writer's union may have been written. */
  #fromUnion(reader: Schema, branches: readonly Schema[]): Found {
    return branches.flatMap((branch, i) => {
      const found = this.compare(reader, branch);
      const isLacking = reader.type === 'union' && found.length > 0;
      return below(String(i), isLacking ? [missingBranch(branch)] : found);
    });
  }

  /** A symbol unknown to the reader becomes its default. */
  #enums(reader: EnumSchema, writer: EnumSchema): Found {
    this.#spend(reader.symbols.length + writer.symbols.length);
    const known = new Set(reader.symbols);
    const missing = reader.default === undefined ? writer.symbols.filter((symbol) => !known.has(symbol)) : [];
    const found: Found =
      missing.length === 0 ? NOTHING : [{ kind: 'MISSING_ENUM_SYMBOLS', detail: `[${missing.join(', ')}]` }];
    return [...names(reader, writer), ...below('symbols', found)];
  }

  #records(reader: RecordSchema, writer: RecordSchema): Found {
    this.#spend(reader.fields.length + writer.fields.length);
    // The writer's other fields are skipped.
    const written = new Map(writer.fields.map((field) => [field.name, field]));
    const fields = reader.fields.flatMap((field, i) => below(String(i), this.#field(field, written)));
    return [...names(reader, writer), ...below('fields', fields)];
  }

  #field(field: Field, written: ReadonlyMap<string, Field>): Found {
    const [from, ...others] = [...new Set([field.name, ...field.aliases])].flatMap(
      (name) => written.get(name) ?? [],
    );
    if (others.length > 0) return [{ kind: 'AMBIGUOUS_FIELD', detail: field.name }];
    if (from !== undefined) return below('type', this.compare(field.type, from.type));
    return field.default === undefined
      ? [{ kind: 'READER_FIELD_MISSING_DEFAULT_VALUE', detail: field.name }]
      : NOTHING;
  }
}

/** Namespaces are compared in aliases only. */
function names(reader: NamedSchema, writer: NamedSchema): Found {
  const isSame =
    simpleName(reader.fullName) === simpleName(writer.fullName) || reader.aliases.includes(writer.fullName);
  return isSame
    ? NOTHING
    : below('name', [{ kind: 'NAME_MISMATCH', detail: `expected: ${writer.fullName}` }]);
}

function sizes(reader: FixedSchema, writer: FixedSchema): Found {
  const detail = `expected: ${writer.size}, found: ${reader.size}`;
  const found: Found = reader.size === writer.size ? NOTHING : [{ kind: 'FIXED_SIZE_MISMATCH', detail }];
  return [...names(reader, writer), ...below('size', found)];
}

function missingBranch(writer: Schema): Leaf {
  return { kind: 'MISSING_UNION_BRANCH', detail: `reader union lacking writer type: ${typeName(writer)}` };
}

/** RECORD, as Java's enum prints it. */
function typeName(schema: Schema): string {
  return schema.type.toUpperCase();
}
