import type { SchemaDifference, SchemaTools, SchemaVersion } from '../../ports/schema-registry.ts';

export interface SchemaReport {
  readonly subject: string;
  readonly versions: readonly number[];
  readonly latest: SchemaVersion | null;
  readonly compatibility: string;
  /** The version under which the schema is registered; null: it is not registered. */
  readonly registered: { readonly id: number; readonly version: number } | null;
}

/** Returns what the registry has under a subject, and whether it has `schema`. @throws Failure as the registry */
export async function reportSchema(
  { registry }: SchemaTools,
  { subject, schema }: { subject: string; schema: string },
): Promise<SchemaReport> {
  const versions = await registry.versions(subject);
  const last = versions.at(-1);
  const latest = last === undefined ? undefined : await registry.version(subject, last);
  const registered = latest === undefined ? undefined : await registry.find(subject, schema);
  return {
    subject,
    versions,
    latest: latest ?? null,
    compatibility: await registry.compatibility(subject),
    registered: registered ?? null,
  };
}

/** A difference, and the versions that differ. */
export interface VersionDifference extends SchemaDifference {
  readonly version: number;
  /** `backward`: the new schema cannot read what the version wrote; `forward`: the other way round. */
  readonly direction: 'backward' | 'forward';
}

export interface SchemaCheck {
  readonly report: SchemaReport;
  /** The verdict of the registry. */
  readonly compatible: boolean;
  /** The messages of the registry. */
  readonly messages: readonly string[];
  /** Differences found by orderctl, by the compatibility level of the subject; with NONE, by BACKWARD. */
  readonly differences: readonly VersionDifference[];
}

/** The most versions to compare, newest first, at a transitive level. */
const MOST_VERSIONS = 50;

/**
 * Checks whether a schema could be registered, and which fields prevent it.
 *
 * @throws Failure as the registry; invalid_input
 */
export async function checkSchema(
  tools: SchemaTools,
  { subject, schema, name }: { subject: string; schema: string; name: string },
): Promise<SchemaCheck> {
  // Text that is not a schema is refused before any request to the registry.
  tools.validate(schema, name);
  const report = await reportSchema(tools, { subject, schema });
  const { compatible, messages } = await tools.registry.check(subject, schema);
  return { report, compatible, messages, differences: await findDifferences(tools, report, schema) };
}

async function findDifferences(
  tools: SchemaTools,
  { subject, versions, compatibility: level }: SchemaReport,
  schema: string,
): Promise<VersionDifference[]> {
  const compared = versions.slice(level.endsWith('_TRANSITIVE') ? -MOST_VERSIONS : -1);
  const found: VersionDifference[] = [];
  for (const version of compared) {
    const old = await tools.registry.version(subject, version);
    if (old === undefined) continue;
    const between = (direction: VersionDifference['direction'], reader: string, writer: string): void => {
      for (const difference of tools.differences(reader, writer))
        found.push({ ...difference, version, direction });
    };
    if (!level.startsWith('FORWARD')) between('backward', schema, old.schema);
    if (level.startsWith('FORWARD') || level.startsWith('FULL')) between('forward', old.schema, schema);
  }
  return found;
}
