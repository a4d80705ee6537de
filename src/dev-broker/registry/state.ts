import type { Level } from './compatibility.ts';

/** What the registry knows: a fold over the entries of its log. */

export interface Reference {
  /** The name that the referring schema uses. */
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface StoredSchema {
  readonly id: number;
  readonly text: string;
  readonly references: readonly Reference[];
}

export interface Version {
  readonly version: number;
  readonly id: number;
  readonly isDeleted: boolean;
}

export type RegistryEvent =
  | ({ readonly kind: 'version'; readonly subject: string; readonly version: number } & StoredSchema)
  | { readonly kind: 'delete'; readonly subject: string; readonly versions: readonly number[] }
  | { readonly kind: 'erase'; readonly subject: string; readonly versions: readonly number[] }
  | { readonly kind: 'level'; readonly subject: string | null; readonly level: Level | null };

export interface Usage {
  readonly subject: string;
  readonly version: number;
  readonly isDeleted: boolean;
}

export class State {
  /** Subjects stay when their last version is erased: a version number is never reused. */
  readonly #subjects = new Map<string, { versions: Map<number, Version>; next: number }>();
  readonly #schemas = new Map<number, StoredSchema>();
  readonly #ids = new Map<string, number>();
  readonly #levels = new Map<string | null, Level>();
  #nextId = 1;

  get nextId(): number {
    return this.#nextId;
  }

  nextVersion(subject: string): number {
    return this.#subjects.get(subject)?.next ?? 1;
  }

  /** In alphabetical order, including those whose versions are all deleted. */
  subjects(): string[] {
    const names = [...this.#subjects].filter(([, { versions }]) => versions.size > 0).map(([name]) => name);
    return names.sort();
  }

  /** Oldest first, including deleted ones. */
  versions(subject: string): Version[] {
    return [...(this.#subjects.get(subject)?.versions.values() ?? [])];
  }

  schema(id: number): StoredSchema | undefined {
    return this.#schemas.get(id);
  }

  /** The id of a known schema, in any subject. */
  idOf(text: string, references: readonly Reference[]): number | undefined {
    return this.#ids.get(keyOf(text, references));
  }

  usages(id: number): Usage[] {
    return this.#all().filter((usage) => usage.id === id);
  }

  /** Versions whose schemas refer to this version. */
  referrers(subject: string, version: number): (Usage & { id: number })[] {
    return this.#all().filter(({ id }) =>
      this.#schemas.get(id)?.references.some((to) => to.subject === subject && to.version === version),
    );
  }

  level(subject: string | null): Level | undefined {
    return this.#levels.get(subject);
  }

  #all(): (Usage & { id: number })[] {
    return [...this.#subjects].flatMap(([subject, { versions }]) =>
      [...versions.values()].map((version) => ({ subject, ...version })),
    );
  }

  apply(event: RegistryEvent): void {
    switch (event.kind) {
      case 'version':
        this.#addVersion(event);
        break;
      case 'delete':
        for (const version of event.versions) this.#delete(event.subject, version);
        break;
      case 'erase':
        for (const version of event.versions) this.#erase(event.subject, version);
        break;
      case 'level':
        if (event.level === null) this.#levels.delete(event.subject);
        else this.#levels.set(event.subject, event.level);
        break;
      default:
        throw new Error(`the registry's log contains an entry of a newer version: ${JSON.stringify(event)}`);
    }
  }

  #addVersion({ subject, version, id, text, references }: RegistryEvent & { kind: 'version' }): void {
    const { versions } = this.#subjects.get(subject) ?? { versions: new Map<number, Version>() };
    this.#subjects.set(subject, {
      versions: versions.set(version, { version, id, isDeleted: false }),
      next: version + 1,
    });
    this.#schemas.set(id, { id, text, references });
    this.#ids.set(keyOf(text, references), id);
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  #delete(subject: string, version: number): void {
    const versions = this.#subjects.get(subject)?.versions;
    const found = versions?.get(version);
    if (found !== undefined) versions?.set(version, { ...found, isDeleted: true });
  }

  #erase(subject: string, version: number): void {
    const versions = this.#subjects.get(subject)?.versions;
    const id = versions?.get(version)?.id;
    versions?.delete(version);
    const schema = id === undefined ? undefined : this.#schemas.get(id);
    if (schema === undefined || this.usages(schema.id).length > 0) return;
    this.#schemas.delete(schema.id);
    this.#ids.delete(keyOf(schema.text, schema.references));
  }
}

function keyOf(text: string, references: readonly Reference[]): string {
  return JSON.stringify([text, references.map(({ name, subject, version }) => [name, subject, version])]);
}
