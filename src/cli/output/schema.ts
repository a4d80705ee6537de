import type { SchemaCheck, SchemaReport, VersionDifference } from '../../app/schema/check.ts';
import type * as Documents from '../../documents/schema.ts';

/** @param message its name in the catalogue */
export function reportDocument(
  { subject, versions, latest, compatibility, registered }: SchemaReport,
  message: string,
): Documents.SchemaReport {
  return {
    message,
    subject,
    versions,
    latest: latest === null ? null : { version: latest.version, id: latest.id, schema: latest.schema },
    compatibility,
    registered:
      registered === null ? null : { ...registered, is_latest: registered.version === latest?.version },
  };
}

/** @param what the schema in question: `the order schema`, or a file */
export function reportLines(report: SchemaReport, what: string): string {
  const { subject, versions, latest, compatibility, registered } = report;
  const lines =
    latest === null
      ? [`subject ${subject}: not registered`]
      : [
          `subject ${subject}: latest is version ${latest.version}, id ${latest.id}; versions ${versions.join(' ')}`,
        ];
  lines.push(`compatibility ${compatibility}`);
  if (registered === null) lines.push(`${what} is not registered`);
  else {
    const isLatest = registered.version === latest?.version;
    lines.push(
      `${what} is version ${registered.version}, id ${registered.id}${isLatest ? ', the latest' : ', not the latest'}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** @param message its name in the catalogue */
export function checkDocument(
  { report, compatible, messages, differences }: SchemaCheck,
  message: string,
): Documents.SchemaCheck {
  return {
    message,
    subject: report.subject,
    compatible,
    compatibility: report.compatibility,
    versions: report.versions,
    registered: report.registered,
    differences,
    messages,
  };
}

/** `created_at: the writer does not have it, and it has no default (version 1)` */
export function differenceLine({ field, reason, version, direction }: VersionDifference): string {
  const relation = direction === 'backward' ? `reading version ${version}` : `read by version ${version}`;
  return `${field === '' ? 'the schema' : field}: ${reason} (${relation})`;
}
