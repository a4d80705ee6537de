import { invalidSchema, invalidVersion, modeNotConfigured, RegistryError } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import type { Reference } from './state.ts';
import type { GivenSchema, Subjects, SubjectVersion, VersionName } from './subjects.ts';

/*
 * The calls of the Confluent Schema Registry API,
 * https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */

export interface Call {
  /** Of the path, by name, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed; undefined without a body. */
  readonly body: unknown;
}

/** @returns the answer, to be sent as JSON @throws RegistryError */
export type Handler = (subjects: Subjects, call: Call) => unknown;

const MAX_INT = 2 ** 31 - 1;
const MODE = { mode: 'READWRITE' };

export const ROUTES: readonly (readonly [method: string, path: string, handle: Handler])[] = [
  ['GET', '/', () => ({})],

  ['GET', '/subjects', (subjects, { query }) => page(query, subjectNames(subjects, query))],
  [
    'POST',
    '/subjects/:subject',
    (subjects, call) =>
      versionBody(subjects.lookUp(subjectOf(call), givenSchema(call), { deleted: flag(call, 'deleted') })),
  ],
  [
    'DELETE',
    '/subjects/:subject',
    (subjects, call) => subjects.deleteSubject(subjectOf(call), { permanent: flag(call, 'permanent') }),
  ],
  [
    'GET',
    '/subjects/:subject/versions',
    (subjects, call) =>
      page(call.query, subjects.versions(subjectOf(call), { deleted: flag(call, 'deleted') })),
  ],
  [
    'POST',
    '/subjects/:subject/versions',
    (subjects, call) => ({ id: subjects.register(subjectOf(call), givenSchema(call)) }),
  ],
  [
    'GET',
    '/subjects/:subject/versions/:version',
    (subjects, call) => versionBody(oneVersion(subjects, call)),
  ],
  [
    'GET',
    '/subjects/:subject/versions/:version/schema',
    (subjects, call) => asSchema(oneVersion(subjects, call).text),
  ],
  [
    'GET',
    '/subjects/:subject/versions/:version/referencedby',
    (subjects, call) => page(call.query, subjects.referencedBy(subjectOf(call), versionOf(call))),
  ],
  [
    'DELETE',
    '/subjects/:subject/versions/:version',
    (subjects, call) =>
      subjects.deleteVersion(subjectOf(call), versionOf(call), { permanent: flag(call, 'permanent') }),
  ],

  ['GET', '/schemas/types', () => ['AVRO']],
  [
    'GET',
    '/schemas/ids/:id',
    (subjects, call) => {
      const { text, references } = subjects.schema(idOf(call));
      const maxId = flag(call, 'fetchMaxId') ? { maxId: subjects.maxId } : {};
      return { schema: text, ...referencesBody(references), ...maxId };
    },
  ],
  ['GET', '/schemas/ids/:id/schema', (subjects, call) => asSchema(subjects.schema(idOf(call)).text)],
  [
    'GET',
    '/schemas/ids/:id/subjects',
    (subjects, call) => [...new Set(usages(subjects, call).map(({ subject }) => subject))],
  ],
  ['GET', '/schemas/ids/:id/versions', (subjects, call) => usages(subjects, call)],

  ['GET', '/config', (subjects) => ({ compatibilityLevel: subjects.level(null, { orGlobal: true }) })],
  ['PUT', '/config', (subjects, call) => setLevel(subjects, null, call)],
  ['DELETE', '/config', (subjects) => ({ compatibilityLevel: subjects.resetLevel(null) })],
  [
    'GET',
    '/config/:subject',
    (subjects, call) => ({
      compatibilityLevel: subjects.level(subjectOf(call), { orGlobal: flag(call, 'defaultToGlobal') }),
    }),
  ],
  ['PUT', '/config/:subject', (subjects, call) => setLevel(subjects, subjectOf(call), call)],
  [
    'DELETE',
    '/config/:subject',
    (subjects, call) => ({ compatibilityLevel: subjects.resetLevel(subjectOf(call)) }),
  ],

  ['POST', '/compatibility/subjects/:subject/versions', (subjects, call) => verdict(subjects, call, 'every')],
  [
    'POST',
    '/compatibility/subjects/:subject/versions/:version',
    (subjects, call) => verdict(subjects, call, versionOf(call)),
  ],

  ['GET', '/mode', () => MODE],
  [
    'GET',
    '/mode/:subject',
    (_subjects, call) => {
      if (!flag(call, 'defaultToGlobal')) throw modeNotConfigured(subjectOf(call));
      return MODE;
    },
  ],
];

/** An answer that is JSON text already: a schema. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function asSchema(text: string): RawJson {
  return new RawJson(text);
}

function subjectOf({ params }: Call): string {
  return params.subject ?? '';
}

function versionOf({ params: { version = '' } }: Call): VersionName {
  if (version.toLowerCase() === 'latest' || version === '-1') return 'latest';
  const number = /^\d{1,10}$/.test(version) ? Number(version) : 0;
  if (number < 1 || number > MAX_INT) throw invalidVersion(version);
  return number;
}

function idOf({ params: { id = '' } }: Call): number {
  // As Confluent answers an unknown path.
  if (!/^\d{1,10}$/.test(id)) throw new RegistryError(404, 'HTTP 404 Not Found');
  return Number(id);
}

function flag({ query }: Call, name: string): boolean {
  return query.get(name)?.toLowerCase() === 'true';
}

function page<T>(query: URLSearchParams, list: T[]): T[] {
  const offset = Math.max(0, Number(query.get('offset') ?? 0) || 0);
  const limit = Number(query.get('limit') ?? -1);
  return list.slice(offset, limit >= 1 ? offset + limit : undefined);
}

function subjectNames(subjects: Subjects, query: URLSearchParams): string[] {
  const prefix = query.get('subjectPrefix') ?? '';
  const deleted = query.get('deleted')?.toLowerCase() === 'true';
  return subjects.names({ deleted }).filter((name) => name.startsWith(prefix));
}

function oneVersion(subjects: Subjects, call: Call): SubjectVersion {
  return subjects.version(subjectOf(call), versionOf(call), { deleted: flag(call, 'deleted') });
}

function usages(subjects: Subjects, call: Call): { subject: string; version: number }[] {
  return page(call.query, subjects.usages(idOf(call), { deleted: flag(call, 'deleted') }));
}

function verdict(subjects: Subjects, call: Call, against: VersionName | 'every'): object {
  const messages = subjects.problems(subjectOf(call), givenSchema(call), against);
  const isCompatible = messages.length === 0;
  return flag(call, 'verbose') ? { is_compatible: isCompatible, messages } : { is_compatible: isCompatible };
}

function setLevel(subjects: Subjects, subject: string | null, { body }: Call): object {
  const level = isObject(body) ? body.compatibility : undefined;
  subjects.setLevel(subject, level);
  return { compatibility: level };
}

function versionBody({ subject, version, id, text, references }: SubjectVersion): object {
  return { subject, version, id, ...referencesBody(references), schema: text };
}

function referencesBody(references: readonly Reference[]): object {
  return references.length === 0 ? {} : { references };
}

function givenSchema(call: Call): GivenSchema {
  const { body } = call;
  if (!isObject(body)) throw new RegistryError(422, 'The body is not a JSON object with a schema');
  const { schema, schemaType = 'AVRO' } = body;
  if (schemaType !== null && schemaType !== 'AVRO') {
    throw invalidSchema(`the type ${JSON.stringify(schemaType)} is not supported here, only AVRO is`);
  }
  for (const part of ['metadata', 'ruleSet']) {
    // If they were ignored, they would seem to be stored.
    if ((body[part] ?? null) !== null) throw invalidSchema(`a schema with ${part} is not supported here`);
  }
  if (typeof schema !== 'string' || schema === '') throw invalidSchema('the body has no schema');
  return { text: schema, references: referencesOf(body), isNormalized: flag(call, 'normalize') };
}

function referencesOf({ references }: JsonObject): Reference[] {
  if (references === undefined || references === null) return [];
  if (!Array.isArray(references)) throw invalidSchema('its references are not a list');
  return references.map((one: unknown) => {
    const { name, subject, version } = isObject(one) ? one : {};
    if (typeof name !== 'string' || typeof subject !== 'string' || !Number.isInteger(version)) {
      throw invalidSchema('a reference must have a name, a subject and a version');
    }
    return { name, subject, version: version as number };
  });
}
