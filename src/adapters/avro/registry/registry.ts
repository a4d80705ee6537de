import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import type { SchemaRegistry, SchemaVersion } from '../../../ports/schema-registry.ts';
import { isFailing, isNotFound, messageOf, parseJson, parseObject, reasonOf } from './answers.ts';
import { sendHttp, type HttpAnswer } from './http.ts';

/*
 * The part of the Confluent Schema Registry API that orderctl needs. Source:
 * https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */

/** Half the time allowed for a stop, so that a pending request does not delay it. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Pauses before a failing registry is asked again: every request can be repeated. */
const PAUSES_MS = [100, 400];
/** After this time, no more retries: the last request must also end within the time allowed for a stop. */
const ASKING_MS = 3_000;
/** Schemas are written by hand and never take megabytes. */
const MAX_RESPONSE_BYTES = 1024 * 1024;
/** Apicurio's path of the Confluent API. */
const APICURIO_PATH = '/apis/ccompat/v7';
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

export interface RegistryOptions {
  readonly url: string;
  readonly credentials: { readonly username: string; readonly password: string } | null;
}

export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface RegisteredSchema {
  readonly schema: string;
  /** AVRO, JSON or PROTOBUF. */
  readonly schemaType: string;
  readonly references: readonly SchemaReference[];
  /** The text is longer than MAX_RESPONSE_BYTES, and `schema` is empty. */
  readonly tooLong: boolean;
}

/**
 * Every method @throws Failure registry_unreachable (no answer, overloaded or failing: try again) or registry_refused
 * (wrong credentials, or an answer that is not from a registry).
 */
export class Registry implements SchemaRegistry {
  readonly #url: string;
  readonly #authorization: string | null;
  #base: Promise<string> | undefined;

  constructor({ url, credentials }: RegistryOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#authorization =
      credentials === null
        ? null
        : `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  }

  /** @returns undefined when the registry does not know the id */
  async schemaById(id: number): Promise<RegisteredSchema | undefined> {
    const answer = await this.#request('GET', `/schemas/ids/${id}`);
    return this.#schemaOf(answer);
  }

  /** @returns undefined when the registry does not know the GUID or, before Confluent 8.0, has no GUIDs */
  async schemaByGuid(guid: string): Promise<RegisteredSchema | undefined> {
    const answer = await this.#request('GET', `/schemas/guids/${guid}`);
    return answer.status === 404 || answer.status === 405 ? undefined : this.#schemaOf(answer);
  }

  /** @returns undefined when the registry does not know the subject or version */
  async schemaByVersion(subject: string, version: number): Promise<RegisteredSchema | undefined> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    return this.#schemaOf(await this.#request('GET', path));
  }

  #schemaOf(answer: HttpAnswer): RegisteredSchema | undefined {
    if (isNotFound(answer)) return undefined;
    if (answer.status === 200 && answer.cut) {
      return { schema: '', schemaType: 'AVRO', references: [], tooLong: true };
    }
    return toSchema(this.#checked(answer));
  }

  async versions(subject: string): Promise<readonly number[]> {
    const answer = await this.#request('GET', `/subjects/${encodeURIComponent(subject)}/versions`);
    if (isNotFound(answer)) return [];
    const list: unknown = parseJson(answer.text);
    if (answer.status !== 200 || !Array.isArray(list)) throw this.#refusal(answer);
    return list.filter((version) => typeof version === 'number').sort((a, b) => a - b);
  }

  async version(subject: string, version: number): Promise<SchemaVersion | undefined> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    const answer = await this.#request('GET', path);
    if (isNotFound(answer)) return undefined;
    const body = this.#checked(answer);
    return { version, id: this.#idOf(body), schema: typeof body.schema === 'string' ? body.schema : '' };
  }

  async compatibility(subject: string): Promise<string> {
    const own = await this.#request('GET', `/config/${encodeURIComponent(subject)}`);
    const answer = own.status === 404 ? await this.#request('GET', '/config') : own;
    const { compatibilityLevel: level } = this.#checked(answer);
    if (typeof level !== 'string') throw this.#refusal(answer);
    return level;
  }

  async check(
    subject: string,
    schema: string,
  ): Promise<{ compatible: boolean; messages: readonly string[] }> {
    const level = await this.compatibility(subject);
    const base = `/compatibility/subjects/${encodeURIComponent(subject)}/versions`;
    const path = level.endsWith('_TRANSITIVE') ? base : `${base}/latest`;
    const answer = await this.#request('POST', `${path}?verbose=true`, { schema });
    // No version exists yet: any schema may be the first.
    if (isNotFound(answer)) return { compatible: true, messages: [] };
    if (answer.status === 422) throw notASchema(answer);
    const { is_compatible: compatible, messages, reason } = this.#checked(answer);
    if (typeof compatible !== 'boolean') throw this.#refusal(answer);
    const reasons = Array.isArray(messages) ? messages : [reason];
    return { compatible, messages: reasons.filter((text) => typeof text === 'string' && text !== '') };
  }

  async find(subject: string, schema: string): Promise<{ id: number; version: number } | undefined> {
    // Without normalize, some registries compare texts: a line break alone would make a new version.
    const path = `/subjects/${encodeURIComponent(subject)}?normalize=true`;
    const answer = await this.#request('POST', path, { schema });
    if (answer.status === 404) return undefined;
    if (answer.status === 422) throw notASchema(answer);
    const body = this.#checked(answer);
    return { id: this.#idOf(body), version: typeof body.version === 'number' ? body.version : 0 };
  }

  async register(subject: string, schema: string): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const send = (): Promise<HttpAnswer> => this.#request('POST', path, { schema });
    let answer = await send();
    if (answer.status === 409) {
      // Apicurio also answers 409 while another process registers the subject.
      const found = await this.find(subject, schema);
      if (found !== undefined) return found.id;
      answer = await send();
    }
    if (answer.status === 409) {
      throw new Failure(
        'incompatible_schema',
        `the registry refuses the schema for subject ${subject}: ${messageOf(answer)}`,
        { fix: { kind: 'check_schema' } },
      );
    }
    if (answer.status === 422) throw notASchema(answer);
    return this.#idOf(this.#checked(answer));
  }

  async #request(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    this.#base ??= this.#findBase();
    let base: string;
    try {
      base = await this.#base;
    } catch (error) {
      this.#base = undefined;
      throw error;
    }
    return this.#send(method, base + path, body);
  }

  /** Where the Confluent API has its own path, as in Apicurio, the plain address answers 404. */
  async #findBase(): Promise<string> {
    const answer = await this.#send('GET', `${this.#url}/subjects`);
    if (answer.status !== 404 || new URL(this.#url).pathname !== '/') return this.#url;
    const other = await this.#send('GET', `${this.#url}${APICURIO_PATH}/subjects`);
    return other.status === 200 ? this.#url + APICURIO_PATH : this.#url;
  }

  /**
   * Retries: an overloaded registry fails now and then, and Apicurio does while another process registers the same
   * schema (500: a duplicate key, a locked table).
   */
  async #send(method: string, url: string, body?: unknown): Promise<HttpAnswer> {
    const since = performance.now();
    const pausesMs = [...PAUSES_MS];
    for (;;) {
      const answer = await this.#sendOnce(method, url, body);
      if (!isFailing(answer)) return answer;
      const pauseMs = pausesMs.shift();
      if (pauseMs === undefined || performance.now() - since > ASKING_MS)
        throw this.#unreachable(`fails: it answers ${answer.status} ${answer.text.slice(0, 200)}`.trim());
      await sleep(pauseMs);
    }
  }

  async #sendOnce(method: string, url: string, body: unknown): Promise<HttpAnswer> {
    try {
      return await sendHttp({
        method,
        url,
        authorization: this.#authorization,
        headers: { accept: CONTENT_TYPE, ...(body === undefined ? {} : { 'content-type': CONTENT_TYPE }) },
        body: body === undefined ? null : JSON.stringify(body),
        timeoutMs: REQUEST_TIMEOUT_MS,
        maxBytes: MAX_RESPONSE_BYTES,
      });
    } catch (error) {
      throw this.#unreachable(`does not answer: ${reasonOf(error, REQUEST_TIMEOUT_MS)}`, error);
    }
  }

  #unreachable(problem: string, cause?: unknown): Failure {
    return new Failure('registry_unreachable', `the schema registry at ${this.#url} ${problem}`, {
      fix: { kind: 'other_registry' },
      cause,
    });
  }

  #checked(answer: HttpAnswer): Record<string, unknown> {
    if (answer.status === 401 || answer.status === 403) {
      throw new Failure(
        'registry_refused',
        `the schema registry at ${this.#url} refuses access (${answer.status})`,
        {
          fix: { kind: 'registry_credentials' },
        },
      );
    }
    const body = parseObject(answer.text);
    if (answer.status === 200 && body !== undefined) return body;
    throw this.#refusal(answer);
  }

  #refusal(answer: HttpAnswer): Failure {
    return new Failure(
      'registry_refused',
      `the schema registry at ${this.#url} answers ${answer.status}: ${messageOf(answer)}`,
      { fix: { kind: 'registry_address' } },
    );
  }

  #idOf(body: Record<string, unknown>): number {
    if (typeof body.id === 'number') return body.id;
    throw new Failure('registry_refused', `the schema registry at ${this.#url} answers without a schema id`, {
      fix: { kind: 'registry_address' },
    });
  }
}

function toSchema(body: Record<string, unknown>): RegisteredSchema {
  const references = Array.isArray(body.references) ? body.references : [];
  return {
    schema: typeof body.schema === 'string' ? body.schema : '',
    schemaType: typeof body.schemaType === 'string' ? body.schemaType : 'AVRO',
    references: references.filter(isReference),
    tooLong: false,
  };
}

function isReference(value: unknown): value is SchemaReference {
  if (typeof value !== 'object' || value === null) return false;
  const { subject, version } = value as Record<string, unknown>;
  return typeof subject === 'string' && typeof version === 'number';
}

function notASchema(answer: HttpAnswer): Failure {
  return new Failure(
    'invalid_input',
    `the registry does not accept it as an Avro schema: ${messageOf(answer)}`,
    {
      fix: 'correct the schema',
    },
  );
}
