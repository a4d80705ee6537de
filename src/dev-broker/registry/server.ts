import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { listen, stopListening } from '../http-server.ts';
import { LineLog } from '../line-log.ts';
import { RegistryError, storeFailed } from './errors.ts';
import { parseJson } from './json.ts';
import { RawJson, ROUTES, type Call, type Handler } from './routes.ts';
import { State, type RegistryEvent } from './state.ts';
import { Subjects } from './subjects.ts';

/*
 * HTTP by node:http and a table of routes. fastify 5.12 took 120–170 ms to import and 50–80 ms to listen, of the
 * 300 ms that broker and registry together may take to start.
 */

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
/** Types that a browser does not send across origins without a preflight, JSON among them. */
const ACCEPTED_TYPES = new Set([CONTENT_TYPE, 'application/vnd.schemaregistry+json', 'application/json']);
/** Room for Confluent's limit on a schema, a million characters, with quotes escaped. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;
/** Time for a request to arrive completely. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface DevRegistryOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
  /** A folder for the registry alone: it keeps one file there. */
  readonly dataDir: string;
  /** Required of every request (HTTP Basic). */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Prefix of the API, `/apis/ccompat/v7`; all other paths are 404. Default: none. */
  readonly path?: string;
}

export interface DevRegistry {
  /** With the path. */
  readonly url: string;
  /** Resolves when the port is free. */
  stop(): Promise<void>;
}

/**
 * A schema registry with the Confluent API for Avro in one process, for development and tests. A change is on disk
 * before it is answered. The caller makes sure that only one registry uses a folder.
 *
 * @throws CorruptStateError · the errors of node:net and node:fs, EADDRINUSE first of all
 */
export async function startDevRegistry(options: DevRegistryOptions): Promise<DevRegistry> {
  const { host = '127.0.0.1', port, dataDir, credentials, path = '' } = options;
  const state = new State();
  const log = new LineLog(join(dataDir, 'registry.log'), (event) => state.apply(event as RegistryEvent));
  try {
    const subjects = new Subjects(state, durably(log));
    const api = new Api(subjects, path.replace(/\/+$/, ''), credentials);
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      void api.answer(request, response);
    });
    const url = await listen(server, host, port);
    return { url: `${url}${api.path}`, stop: () => stop(server, log) };
  } catch (error) {
    log.close();
    throw error;
  }
}

/**
 * @returns a function that writes an event to disk. It throws RegistryError 50001 when that fails, and from then on.
 */
function durably(log: LineLog): (event: RegistryEvent) => void {
  let failure: string | undefined;
  return (event) => {
    // What a failed write or sync left in the file is only known after reading it again.
    if (failure !== undefined) throw storeFailed(failure);
    try {
      log.append(event);
      log.sync();
    } catch (error) {
      failure = `${log.file} could not be written (${(error as Error).message}); restart the registry`;
      throw storeFailed(failure);
    }
  };
}

async function stop(server: Server, log: LineLog): Promise<void> {
  if (await stopListening(server)) log.close();
}

class Api {
  readonly path: string;
  readonly #subjects: Subjects;
  readonly #authorization: Buffer | null;

  constructor(subjects: Subjects, path: string, credentials: DevRegistryOptions['credentials']) {
    this.#subjects = subjects;
    this.path = path;
    this.#authorization =
      credentials === undefined
        ? null
        : digest(
            `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`,
          );
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const result = await this.#handle(request);
      send(response, 200, result instanceof RawJson ? result.text : JSON.stringify(result));
    } catch (error) {
      const { code, message, status } = asRegistryError(error);
      if (status === 401) response.setHeader('www-authenticate', 'Basic realm="registry"');
      send(response, status, JSON.stringify({ error_code: code, message }));
    }
  }

  async #handle(request: IncomingMessage): Promise<unknown> {
    // First, even for a request that is refused: a client reads the answer only after it has sent its body.
    const text = await readBody(request);
    if (this.#authorization !== null) {
      const given = digest(request.headers.authorization ?? '');
      if (!timingSafeEqual(given, this.#authorization)) throw new RegistryError(401, 'Unauthorized');
    }
    const { handle, params, query } = this.#route(request);
    if (text === undefined) throw new RegistryError(413, `The body is larger than ${MAX_BODY_BYTES} bytes`);
    return handle(this.#subjects, { params, query, body: text === '' ? undefined : bodyOf(request, text) });
  }

  #route(request: IncomingMessage): Omit<Call, 'body'> & { handle: Handler } {
    const [rawPath = '', rawQuery = ''] = splitOnce(request.url ?? '', '?');
    if (rawPath !== this.path && !rawPath.startsWith(`${this.path}/`)) throw notFound();
    const words = wordsOf(rawPath.slice(this.path.length));
    const found = ROUTES.map(([method, pattern, handle]) => {
      return { method, handle, params: match(wordsOf(pattern), words) };
    }).filter(({ params }) => params !== undefined);
    const route = found.find(({ method }) => method === request.method);
    if (found.length === 0) throw notFound();
    if (route?.params === undefined) throw new RegistryError(405, 'HTTP 405 Method Not Allowed');
    return { handle: route.handle, params: route.params, query: new URLSearchParams(rawQuery) };
  }
}

function notFound(): RegistryError {
  return new RegistryError(404, 'HTTP 404 Not Found');
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** The parts of a path; a trailing slash is ignored. */
function wordsOf(path: string): string[] {
  return path.replace(/^\//, '').replace(/\/$/, '').split('/');
}

/** @returns the values of the `:name` parts, decoded: a name may contain a slash */
function match(pattern: readonly string[], words: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== words.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
    const word = words[i] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = decoded(word);
    else if (part !== word) return undefined;
  }
  return params;
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    throw new RegistryError(400, `The path contains ${JSON.stringify(word)}, which is not UTF-8`);
  }
}

/** @returns undefined when it is too long */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return sizeBytes <= MAX_BODY_BYTES ? Buffer.concat(chunks).toString('utf8') : undefined;
}

function bodyOf(request: IncomingMessage, text: string): unknown {
  const [type = ''] = splitOnce(request.headers['content-type'] ?? '', ';');
  if (!ACCEPTED_TYPES.has(type.trim().toLowerCase())) {
    throw new RegistryError(415, `HTTP 415 Unsupported Media Type: send ${CONTENT_TYPE}`);
  }
  try {
    return parseJson(text);
  } catch (error) {
    throw new RegistryError(400, `The body is not valid JSON: ${(error as Error).message}`);
  }
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': CONTENT_TYPE, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** A fixed length, which a comparison in constant time needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function asRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  return new RegistryError(
    500,
    `A bug in the registry: ${error instanceof Error ? error.stack : String(error)}`,
  );
}
