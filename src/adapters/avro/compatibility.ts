import type { SchemaDifference } from '../../ports/schema-registry.ts';
import { parseSchema, simpleName, type Named, type RecordSchema, type Schema } from './schema.ts';

/*
 * Explains why a value written with one schema cannot be read with another. Source:
 * https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
 *
 * Registries check this themselves, but some report only a path, without the reason.
 */

/** Maps a writer's type to the reader's types that accept it. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};
/** Bounds, since the schemas come from other programs. */
const MAX_DIFFERENCES = 100;
const MAX_DEPTH = 64;
const MAX_STEPS = 100_000;

/** @param reader @param writer Avro schemas without references @throws Error when one is not valid */
export function findDifferences(reader: string, writer: string): SchemaDifference[] {
  return new Comparison().run(parseSchema(reader, []), parseSchema(writer, []));
}

class Comparison {
  readonly #found: SchemaDifference[] = [];
  #steps = 0;
  /** Pairs of records being compared: a recursive schema reaches them again. */
  readonly #open = new Map<Schema, Set<Schema>>();

  run(reader: Schema, writer: Schema): SchemaDifference[] {
    this.#compare(reader, writer, '', 0);
    return this.#found;
  }

  #add(field: string, reason: string): void {
    if (this.#found.length < MAX_DIFFERENCES) this.#found.push({ field, reason });
  }

  #compare(reader: Schema, writer: Schema, path: string, depth: number): void {
    this.#steps += 1;
    if (depth > MAX_DEPTH || this.#steps > MAX_STEPS) return;
    if (writer.type === 'union') {
      for (const branch of writer.branches) this.#compare(reader, branch, path, depth + 1);
      return;
    }
    if (reader.type === 'union') {
      const fits = reader.branches.some((branch) => this.#fits(branch, writer, depth));
      if (!fits)
        this.#add(
          path,
          `the writer has ${nameOf(writer)}, the reader only ${reader.branches.map(nameOf).join(', ')}`,
        );
      return;
    }
    if (reader.type !== writer.type) {
      if (PROMOTIONS[writer.type]?.includes(reader.type) !== true) {
        this.#add(path, `the writer has ${nameOf(writer)}, the reader ${nameOf(reader)}`);
      }
      return;
    }
    this.#compareSame(reader, writer, path, depth);
  }

  #fits(reader: Schema, writer: Schema, depth: number): boolean {
    const before = this.#found.length;
    this.#compare(reader, writer, '', depth + 1);
    return this.#found.splice(before).length === 0;
  }

  #compareSame(reader: Schema, writer: Schema, path: string, depth: number): void {
    if ('name' in reader && 'name' in writer && !isSameName(reader, writer)) {
      this.#add(path, `the writer has ${nameOf(writer)}, the reader ${nameOf(reader)}: the names differ`);
    }
    if (reader.type === 'array' && writer.type === 'array') {
      this.#compare(reader.items, writer.items, `${path}[]`, depth + 1);
    } else if (reader.type === 'map' && writer.type === 'map') {
      this.#compare(reader.items, writer.items, `${path}{}`, depth + 1);
    } else if (reader.type === 'fixed' && writer.type === 'fixed') {
      if (reader.size !== writer.size)
        this.#add(path, `the writer has ${writer.size} bytes, the reader ${reader.size}`);
    } else if (reader.type === 'enum' && writer.type === 'enum') {
      const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
      if (missing.length > 0 && !reader.hasDefault)
        this.#add(path, `the reader lacks symbols: ${missing.slice(0, 10).join(', ')}`);
    } else if (reader.type === 'record' && writer.type === 'record') {
      this.#compareRecords(reader, writer, path, depth);
    }
  }

  #compareRecords(reader: RecordSchema, writer: RecordSchema, path: string, depth: number): void {
    const against = this.#open.get(reader) ?? new Set();
    if (against.has(writer)) return;
    this.#open.set(reader, against.add(writer));
    for (const field of reader.fields) {
      const written =
        writer.fields.find(({ name }) => name === field.name) ??
        writer.fields.find(({ name }) => field.aliases.includes(name));
      const at = path === '' ? field.name : `${path}.${field.name}`;
      if (written !== undefined) this.#compare(field.type, written.type, at, depth + 1);
      else if (!field.hasDefault) this.#add(at, 'the writer does not have it, and it has no default');
    }
    against.delete(writer);
  }
}

/** Namespaces are compared in aliases only. */
function isSameName(reader: Named, writer: Named): boolean {
  return simpleName(reader.name) === simpleName(writer.name) || reader.aliases.includes(writer.name);
}

function nameOf(schema: Schema): string {
  return 'name' in schema ? `${schema.type} ${schema.name}` : schema.type;
}
