import type { RegisteredSchema, Registry, SchemaReference } from './registry/registry.ts';
import { parseSchema, type Schema } from './schema.ts';
import type { SchemaKey } from './wire-format.ts';

/** How to read values of a writer's schema, or why they cannot be read. */
export type Writer<Compiled> =
  | { readonly kind: 'avro'; readonly compiled: Compiled }
  /** Values are JSON; the schema is not used. */
  | { readonly kind: 'json' }
  | { readonly kind: 'unusable'; readonly problem: string };

/**
 * How long an id counts as unknown: a flood of bad records must not become a flood of requests, yet a replica of the
 * registry that lags must be asked again.
 */
const UNKNOWN_FOR_MS = 5_000;
const REQUESTS_AT_ONCE = 4;
const MAX_REFERENCES = 100;
/** Ids are Java ints. A larger one is garbage, which some registries answer with an error. */
const MAX_ID = 2 ** 31 - 1;

/** Writers' schemas by id or GUID. Neither is ever assigned to another schema, so each is fetched once. */
export class WriterSchemas<Compiled> {
  readonly #registry: Registry;
  readonly #compileSchema: (schema: Schema) => Compiled;
  readonly #known = new Map<SchemaKey, Writer<Compiled>>();
  /** Keys that the registry did not know, and until when they count as unknown (performance clock). */
  readonly #unknown = new Map<SchemaKey, number>();

  /** @param compile called once for each schema */
  constructor(registry: Registry, compile: (schema: Schema) => Compiled) {
    this.#registry = registry;
    this.#compileSchema = compile;
  }

  get(key: SchemaKey): Writer<Compiled> | undefined {
    return this.#known.get(key);
  }

  /** Fetches the schemas of `keys` that are not known yet. @throws Failure from the registry */
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
      // Garbage can name any number of ids, so memory is bounded.
      if (this.#unknown.size >= 10_000) this.#unknown.clear();
      this.#unknown.set(key, performance.now() + UNKNOWN_FOR_MS);
      return;
    }
    this.#unknown.delete(key);
    this.#known.set(key, await this.#compile(found));
  }

  async #compile(found: RegisteredSchema): Promise<Writer<Compiled>> {
    if (found.schemaType === 'JSON') return { kind: 'json' };
    if (found.schemaType !== 'AVRO') return unusable(`it is ${found.schemaType}, not Avro`);
    if (found.tooLong) return unusable('its text is too long for a schema');
    const references = await this.#references(found.references);
    if (typeof references === 'string') return unusable(references);
    try {
      return { kind: 'avro', compiled: this.#compileSchema(parseSchema(found.schema, references)) };
    } catch (error) {
      return unusable(
        `it is not a valid Avro schema: ${error instanceof Error ? error.message.slice(0, 200) : ''}`,
      );
    }
  }

  /** @returns the texts of the referenced schemas, each after the schemas that it refers to; or what is wrong */
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

function unusable(problem: string): Writer<never> {
  return { kind: 'unusable', problem };
}
