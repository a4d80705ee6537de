import { parseSchema } from './avro-parser.ts';
import type { NamedSchema, Schema } from './avro-schema.ts';
import { schemaText } from './avro-text.ts';
import { differences, inWords, isTransitive, LEVELS, type Level } from './compatibility.ts';
import * as errors from './errors.ts';
import { hasUnsafeNumber } from './json.ts';
import type { Reference, RegistryEvent, State, StoredSchema, Version } from './state.ts';

const DEFAULT_LEVEL: Level = 'BACKWARD';
/** Limit on the schemas that one schema refers to, directly or indirectly. */
const MAX_REFERENCES = 200;

/** A schema as a client sends it. */
export interface GivenSchema {
  readonly text: string;
  /** Version −1 is the latest one. */
  readonly references: readonly Reference[];
  readonly isNormalized: boolean;
}

/** One version of a subject with its schema. */
export interface SubjectVersion extends StoredSchema {
  readonly subject: string;
  readonly version: number;
}

export type VersionName = number | 'latest';

/**
 * The registry without its protocol. A change is passed to `write` first and takes effect when that returns.
 * Every method @throws RegistryError
 */
export class Subjects {
  readonly #state: State;
  readonly #write: (event: RegistryEvent) => void;

  constructor(state: State, write: (event: RegistryEvent) => void) {
    this.#state = state;
    this.#write = write;
  }

  names({ deleted }: { deleted: boolean }): string[] {
    const all = this.#state.subjects();
    return deleted ? all : all.filter((subject) => this.#live(subject).length > 0);
  }

  versions(subject: string, { deleted }: { deleted: boolean }): number[] {
    const versions = deleted ? this.#state.versions(subject) : this.#live(subject);
    if (versions.length === 0) throw errors.subjectNotFound(subject);
    return versions.map(({ version }) => version);
  }

  version(subject: string, version: VersionName, { deleted = false } = {}): SubjectVersion {
    const found = this.#find(subject, version, deleted);
    return this.#withSchema(subject, found);
  }

  /** @throws RegistryError 40403 */
  schema(id: number): StoredSchema {
    const found = this.#state.schema(id);
    if (found === undefined) throw errors.schemaNotFound(id);
    return found;
  }

  /** The highest id so far; 0 without schemas. */
  get maxId(): number {
    return this.#state.nextId - 1;
  }

  usages(id: number, { deleted }: { deleted: boolean }): { subject: string; version: number }[] {
    this.schema(id);
    const found = this.#state.usages(id).filter(({ isDeleted }) => deleted || !isDeleted);
    return found.map(({ subject, version }) => ({ subject, version }));
  }

  /** Ids of schemas that refer to a version. */
  referencedBy(subject: string, version: VersionName): number[] {
    const { version: number } = this.#find(subject, version, false);
    const found = this.#state.referrers(subject, number).filter(({ isDeleted }) => !isDeleted);
    return [...new Set(found.map(({ id }) => id))];
  }

  /** @returns the version with the schema @throws RegistryError 40403 when there is none */
  lookUp(subject: string, given: GivenSchema, { deleted }: { deleted: boolean }): SubjectVersion {
    const versions = deleted ? this.#state.versions(subject) : this.#live(subject);
    if (versions.length === 0) throw errors.subjectNotFound(subject);
    const { text, references } = this.#read(given);
    const id = this.#state.idOf(text, references);
    const found = versions.findLast((version) => version.id === id);
    if (found === undefined) throw errors.schemaNotFound();
    return this.#withSchema(subject, found);
  }

  /** @returns the id; no new version for a schema that the subject has @throws RegistryError 409 when not compatible */
  register(subject: string, given: GivenSchema): number {
    checkSubject(subject);
    const { text, references, schema } = this.#read(given);
    const known = this.#state.idOf(text, references);
    if (known !== undefined && this.#live(subject).some(({ id }) => id === known)) return known;
    const problems = this.#problems(subject, schema, this.#live(subject));
    if (problems.length > 0) throw errors.incompatible(subject, problems);
    const id = known ?? this.#state.nextId;
    const version = this.#state.nextVersion(subject);
    this.#commit({ kind: 'version', subject, version, id, text, references });
    return id;
  }

  /** @returns the deleted versions */
  deleteSubject(subject: string, { permanent }: { permanent: boolean }): number[] {
    const all = this.#state.versions(subject);
    const live = this.#live(subject);
    if (all.length === 0) throw errors.subjectNotFound(subject);
    if (permanent && live.length > 0) throw errors.subjectNotSoftDeleted(subject);
    if (!permanent && live.length === 0) throw errors.subjectSoftDeleted(subject);
    const versions = (permanent ? all : live).map(({ version }) => version);
    for (const version of versions) this.#checkUnreferenced(subject, version, permanent);
    this.#commit({ kind: permanent ? 'erase' : 'delete', subject, versions });
    return versions;
  }

  /** @returns the version's number */
  deleteVersion(subject: string, name: VersionName, { permanent }: { permanent: boolean }): number {
    const { version, isDeleted } = this.#find(subject, name, true);
    if (permanent && !isDeleted) throw errors.versionNotSoftDeleted(subject, version);
    if (!permanent && isDeleted) throw errors.versionSoftDeleted(subject, version);
    this.#checkUnreferenced(subject, version, permanent);
    this.#commit({ kind: permanent ? 'erase' : 'delete', subject, versions: [version] });
    return version;
  }

  /** @returns why a schema cannot be the next version of a subject; empty when it can */
  problems(subject: string, given: GivenSchema, against: VersionName | 'every'): string[] {
    const { schema } = this.#read(given);
    const live = this.#live(subject);
    // Any first version is compatible.
    if (against === 'every' || (against === 'latest' && live.length === 0)) {
      return this.#problems(subject, schema, live);
    }
    return this.#problems(subject, schema, [this.#find(subject, against, false)]);
  }

  /** @returns the global level for `null` @throws RegistryError 40408 for a subject without its own level */
  level(subject: string | null, { orGlobal }: { orGlobal: boolean }): Level {
    const own = this.#state.level(subject);
    if (own !== undefined) return own;
    if (subject !== null && !orGlobal) throw errors.levelNotConfigured(subject);
    return this.#state.level(null) ?? DEFAULT_LEVEL;
  }

  setLevel(subject: string | null, name: unknown): void {
    if (subject !== null) checkSubject(subject);
    const level = LEVELS.find((candidate) => typeof name === 'string' && candidate === name.toUpperCase());
    if (level === undefined) throw errors.invalidLevel(LEVELS);
    this.#commit({ kind: 'level', subject, level });
  }

  /** @returns the previous level */
  resetLevel(subject: string | null): Level {
    const level = this.level(subject, { orGlobal: false });
    this.#commit({ kind: 'level', subject, level: null });
    return level;
  }

  #commit(event: RegistryEvent): void {
    this.#write(event);
    this.#state.apply(event);
  }

  #live(subject: string): Version[] {
    return this.#state.versions(subject).filter(({ isDeleted }) => !isDeleted);
  }

  #find(subject: string, name: VersionName, deleted: boolean): Version {
    const all = this.#state.versions(subject);
    const shown = deleted ? all : all.filter(({ isDeleted }) => !isDeleted);
    if (shown.length === 0) throw errors.subjectNotFound(subject);
    const found = name === 'latest' ? shown.at(-1) : shown.find(({ version }) => version === name);
    if (found === undefined) throw errors.versionNotFound(name);
    return found;
  }

  #withSchema(subject: string, { version, id }: Version): SubjectVersion {
    return { subject, version, ...this.schema(id) };
  }

  #problems(subject: string, schema: Schema, versions: readonly Version[]): string[] {
    const level = this.level(subject, { orGlobal: true });
    if (level === 'NONE') return [];
    // Newest first: the first conflict is reported.
    for (const { version, id } of versions.toReversed()) {
      const { text, references } = this.schema(id);
      const found = differences(level, schema, parseSchema(text, this.#names(references)));
      if (found.length > 0) {
        return [
          ...found.map(inWords),
          `{oldSchemaVersion: ${version}}`,
          `{oldSchema: '${text}'}`,
          `{compatibility: '${level}'}`,
        ];
      }
      if (!isTransitive(level)) return [];
    }
    return [];
  }

  #checkUnreferenced(subject: string, version: number, permanent: boolean): void {
    const found = this.#state.referrers(subject, version);
    if (found.some(({ isDeleted }) => permanent || !isDeleted))
      throw errors.referenceExists(subject, version);
  }

  #read({ text, references: given, isNormalized }: GivenSchema): StoredText {
    const references = given.map(({ name, subject, version }) => {
      return { name, subject, version: this.#referenced(subject, version).version };
    });
    const names = this.#names(references);
    const known = [...names.keys()];
    const schema = parseSchema(text, names);
    // A number that printing would change is only exact in the text itself.
    const isExact = !hasUnsafeNumber(JSON.parse(text));
    return { schema, references, text: isExact ? schemaText(schema, known, isNormalized) : text };
  }

  #referenced(subject: string, version: number): Version {
    const live = this.#live(subject);
    const found = version === -1 ? live.at(-1) : live.find((one) => one.version === version);
    if (found !== undefined) return found;
    throw errors.invalidSchema(
      `it refers to version ${version} of subject '${subject}', which does not exist`,
    );
  }

  /** The types that referenced schemas define, directly or indirectly. */
  #names(references: readonly Reference[]): Map<string, NamedSchema> {
    const names = new Map<string, NamedSchema>();
    const seen = new Set<number>();
    const visit = (list: readonly Reference[]): void => {
      for (const { subject, version } of list) {
        // Schemas registered earlier still refer to deleted versions.
        const { id } = this.#find(subject, version, true);
        if (seen.has(id)) continue;
        seen.add(id);
        if (seen.size > MAX_REFERENCES) throw errors.invalidSchema('it refers to too many others');
        const schema = this.schema(id);
        visit(schema.references);
        parseSchema(schema.text, names);
      }
    };
    visit(references);
    return names;
  }
}

interface StoredText {
  readonly schema: Schema;
  readonly text: string;
  readonly references: readonly Reference[];
}

function checkSubject(subject: string): void {
  // eslint-disable-next-line no-control-regex -- control characters are refused
  if (subject === '' || subject.length > 1024 || /[\u0000-\u001f\u007f]/.test(subject)) {
    throw errors.invalidSubject(subject);
  }
}
