import type { SchemaDifference } from '../../ports/schema-registry.ts';

/*
 * Why a value that was written with one schema cannot be read with another. Source:
 * https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
 *
 * Registries know that themselves; but what some of them say of it names a place in the text and no reason.
 */

type Json = string | JsonObject | readonly Json[] | number | boolean | null;
// A type alias cannot refer to itself.
interface JsonObject {
  readonly [name: string]: Json;
}

interface Shape {
  /** Where it stands in its schema. */
  readonly node: Json;
  /** `record`, `int`, `union` … */
  readonly type: string;
  readonly fullName: string;
  readonly fields: readonly { name: string; aliases: readonly string[]; type: Json; hasDefault: boolean }[];
  readonly items: Json;
  readonly symbols: readonly string[];
  readonly hasDefault: boolean;
  readonly size: number;
  readonly branches: readonly Json[];
}

/** To which types a type can be read: the writer's first. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};
/** Schemas may be anybody's. */
const MAX_DIFFERENCES = 100;
const MAX_DEPTH = 64;
const MAX_STEPS = 100_000;

/** @param reader @param writer texts of Avro schemas, each whole in itself */
export function findDifferences(reader: string, writer: string): SchemaDifference[] {
  return new Comparison(JSON.parse(reader) as Json, JSON.parse(writer) as Json).run();
}

class Comparison {
  readonly #reader: Json;
  readonly #writer: Json;
  readonly #readerNames = new Map<string, Json>();
  readonly #writerNames = new Map<string, Json>();
  readonly #found: SchemaDifference[] = [];
  #steps = 0;
  /** Pairs of records that are being compared: a recursive schema meets them again. */
  readonly #open = new Map<Json, Set<Json>>();

  constructor(reader: Json, writer: Json) {
    this.#reader = reader;
    this.#writer = writer;
    collectNames(reader, '', this.#readerNames);
    collectNames(writer, '', this.#writerNames);
  }

  run(): SchemaDifference[] {
    this.#compare(this.#reader, this.#writer, '', 0);
    return this.#found;
  }

  #add(field: string, reason: string): void {
    if (this.#found.length < MAX_DIFFERENCES) this.#found.push({ field, reason });
  }

  #compare(readerType: Json, writerType: Json, path: string, depth: number): void {
    this.#steps += 1;
    if (depth > MAX_DEPTH || this.#steps > MAX_STEPS) return;
    const reader = shapeOf(readerType, this.#readerNames);
    const writer = shapeOf(writerType, this.#writerNames);
    if (writer.type === 'union') {
      for (const branch of writer.branches) this.#compare(readerType, branch, path, depth + 1);
      return;
    }
    if (reader.type === 'union') {
      const fits = reader.branches.some((branch) => this.#fits(branch, writerType, depth));
      if (!fits)
        this.#add(
          path,
          `${nameOf(writer)} is written, which is none of ${namesOf(reader, this.#readerNames)}`,
        );
      return;
    }
    if (reader.type !== writer.type) {
      if (PROMOTIONS[writer.type]?.includes(reader.type) !== true) {
        this.#add(path, `${nameOf(writer)} is written, ${nameOf(reader)} is read`);
      }
      return;
    }
    this.#compareSame(reader, writer, path, depth);
  }

  #fits(reader: Json, writer: Json, depth: number): boolean {
    const before = this.#found.length;
    this.#compare(reader, writer, '', depth + 1);
    return this.#found.splice(before).length === 0;
  }

  #compareSame(reader: Shape, writer: Shape, path: string, depth: number): void {
    if (bareName(reader.fullName) !== bareName(writer.fullName)) {
      this.#add(path, `${nameOf(writer)} is written, ${nameOf(reader)} is read: names are compared`);
    }
    switch (reader.type) {
      case 'array':
        this.#compare(reader.items, writer.items, `${path}[]`, depth + 1);
        break;
      case 'map':
        this.#compare(reader.items, writer.items, `${path}{}`, depth + 1);
        break;
      case 'fixed':
        if (reader.size !== writer.size)
          this.#add(path, `${writer.size} bytes are written, ${reader.size} are read`);
        break;
      case 'enum': {
        const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
        if (missing.length > 0 && !reader.hasDefault)
          this.#add(path, `symbols that may be written are not known: ${missing.slice(0, 10).join(', ')}`);
        break;
      }
      case 'record':
        this.#compareRecords(reader, writer, path, depth);
        break;
    }
  }

  #compareRecords(reader: Shape, writer: Shape, path: string, depth: number): void {
    const against = this.#open.get(reader.node) ?? new Set();
    if (against.has(writer.node)) return;
    this.#open.set(reader.node, against.add(writer.node));
    for (const field of reader.fields) {
      const names = [field.name, ...field.aliases];
      const written = writer.fields.find(({ name }) => names.includes(name));
      const at = path === '' ? field.name : `${path}.${field.name}`;
      if (written !== undefined) this.#compare(field.type, written.type, at, depth + 1);
      else if (!field.hasDefault) this.#add(at, 'it is not written, and has no default to be read as');
    }
    against.delete(writer.node);
  }
}

function namesOf({ branches }: Shape, names: ReadonlyMap<string, Json>): string {
  return branches.map((branch) => nameOf(shapeOf(branch, names))).join(', ');
}

function nameOf({ type, fullName }: Shape): string {
  return fullName === '' ? type : `${type} ${fullName}`;
}

function bareName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function collectNames(type: Json, namespace: string, names: Map<string, Json>): void {
  if (Array.isArray(type)) {
    for (const branch of type as readonly Json[]) collectNames(branch, namespace, names);
    return;
  }
  if (!isObject(type)) return;
  const own = typeof type.namespace === 'string' ? type.namespace : namespace;
  if (typeof type.name === 'string' && typeof type.type === 'string') {
    names.set(type.name, type);
    if (own !== '' && !type.name.includes('.')) names.set(`${own}.${type.name}`, type);
  }
  if (Array.isArray(type.fields)) {
    for (const field of type.fields as readonly Json[])
      if (isObject(field)) collectNames(field.type ?? null, own, names);
  }
  for (const inner of [type.items, type.values]) if (inner !== undefined) collectNames(inner, own, names);
  if (isObject(type.type ?? null)) collectNames(type.type ?? null, own, names);
}

function shapeOf(type: Json, names: ReadonlyMap<string, Json>): Shape {
  if (Array.isArray(type)) return { ...NOTHING, type: 'union', branches: type as readonly Json[] };
  if (typeof type === 'string') {
    const named = names.get(type);
    return named === undefined ? { ...NOTHING, type } : shapeOf(named, names);
  }
  if (!isObject(type)) return { ...NOTHING, type: JSON.stringify(type) };
  if (typeof type.type !== 'string') return shapeOf(type.type ?? null, names);
  const fields = Array.isArray(type.fields) ? (type.fields as readonly Json[]).filter(isObject) : [];
  const symbols = Array.isArray(type.symbols) ? (type.symbols as readonly Json[]) : [];
  return {
    node: type,
    type: type.type === 'error' ? 'record' : type.type,
    fullName: typeof type.name === 'string' ? type.name : '',
    fields: fields.map((field) => ({
      name: text(field.name),
      aliases: Array.isArray(field.aliases) ? (field.aliases as readonly Json[]).map(text) : [],
      type: field.type ?? null,
      hasDefault: field.default !== undefined,
    })),
    items: type.items ?? type.values ?? null,
    symbols: symbols.map(text),
    hasDefault: type.default !== undefined,
    size: Number(type.size),
    branches: [],
  };
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

const NOTHING: Shape = {
  node: null,
  type: '',
  fullName: '',
  fields: [],
  items: null,
  symbols: [],
  hasDefault: false,
  size: 0,
  branches: [],
};
