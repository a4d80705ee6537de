import { hasOwnLayout } from './own-layout.ts';
import { compileReader, type Read } from './reader.ts';
import type { RegisteredSchema, Registry, SchemaReference } from './registry.ts';
import { parseSchema, type Schema } from './schema.ts';
import type { SchemaKey } from './wire-format.ts';

/** How values of one writer's schema are read, or why they cannot be. */
export type Writer =
  | { readonly kind: 'avro'; readonly read: Read; readonly ownLayout: boolean; readonly schema: Schema }
  /** Values are JSON, whatever its schema says. */
  | { readonly kind: 'json' }
  | { readonly kind: 'unusable'; readonly problem: string };

/**
 * How long an id counts as unknown: a flood of bad records must not become one of requests, and a registry whose
 * copies lag behind must not be asked in vain for ever.
 */
const UNKNOWN_FOR_MS = 5_000;
const REQUESTS_AT_ONCE = 4;
const MAX_REFERENCES = 100;
/** Ids are Java's int: a larger one comes from garbage, which some registries answer with an error. */
const MAX_ID = 2 ** 31 - 1;

/** Writers' schemas by id or GUID. Either means the same for ever, so that each is fetched once. */
export class WriterSchemas {
  readonly #registry: Registry;
  readonly #own: Schema;
  readonly #known = new Map<SchemaKey, Writer>();
  /** Those the registry did not know, and until when that is believed (performance clock). */
  readonly #unknown = new Map<SchemaKey, number>();

  /** @param ownSchema the text of our own schema */
  constructor(registry: Registry, ownSchema: string) {
    this.#registry = registry;
    this.#own = parseSchema(ownSchema, []);
  }

  get(key: SchemaKey): Writer | undefined {
    return this.#known.get(key);
  }

  /** Fetches what is missing of `keys`. @throws Failure of the registry */
  async load(keys: ReadonlySet<SchemaKey>): Promise<void> {
    const now = performance.now();
    const missing = [...keys].filter(
      (key) =>
        (typeof key === 'string' || key <= MAX_ID) &&
        !this.#known.has(key) &&
        (this.#unknown.get(key) ?? 0) <= now,
    );
    for (let from = 0; from < missing.length; from += REQUESTS_AT_ONCE) {
      await Promise.all(missing.slice(from, from + REQUESTS_AT_ONCE).map((key) => this.#fetch(key)));
    }
  }

  async #fetch(key: SchemaKey): Promise<void> {
    const found =
      typeof key === 'number' ? await this.#registry.schemaById(key) : await this.#registry.schemaByGuid(key);
    if (found === undefined) {
      // Ids in garbage are as many as the garbage: what is remembered of them is bounded.
      if (this.#unknown.size >= 10_000) this.#unknown.clear();
      this.#unknown.set(key, performance.now() + UNKNOWN_FOR_MS);
      return;
    }
    this.#unknown.delete(key);
    this.#known.set(key, await this.#compile(found));
  }

  async #compile(found: RegisteredSchema): Promise<Writer> {
    if (found.schemaType === 'JSON') return { kind: 'json' };
    if (found.schemaType !== 'AVRO') return unusable(`it is ${found.schemaType}, not Avro`);
    if (found.tooLong) return unusable('its text is longer than any schema');
    const references = await this.#references(found.references);
    if (typeof references === 'string') return unusable(references);
    try {
      const schema = parseSchema(found.schema, references);
      return {
        kind: 'avro',
        read: compileReader(schema),
        ownLayout: hasOwnLayout(schema, this.#own),
        schema,
      };
    } catch (error) {
      return unusable(`it is no Avro schema: ${error instanceof Error ? error.message.slice(0, 200) : ''}`);
    }
  }

  /** The texts of referenced schemas, each after those that it refers to itself; or why there are none. */
  async #references(references: readonly SchemaReference[]): Promise<string[] | string> {
    let problem: string | undefined;
    const texts = new Map<string, string>();
    const seen = new Set<string>();
    const visit = async (list: readonly SchemaReference[]): Promise<void> => {
      for (const { subject, version } of list) {
        const name = `${subject}/${version}`;
        if (seen.has(name) || seen.size >= MAX_REFERENCES) continue;
        seen.add(name);
        const found = await this.#registry.schemaByVersion(subject, version);
        if (found === undefined) {
          problem ??= `it refers to version ${version} of subject ${subject}, which the registry does not know`;
          continue;
        }
        await visit(found.references);
        texts.set(name, found.schema);
      }
    };
    await visit(references);
    return problem ?? [...texts.values()];
  }
}

function unusable(problem: string): Writer {
  return { kind: 'unusable', problem };
}
