import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Entry {
  readonly id: number;
  readonly schema: string;
  readonly schemaType?: string;
  /** A second identifier of the schema, as in Confluent's registry since 8.0. */
  readonly guid?: string;
  readonly references?: readonly { name: string; subject: string; version: number }[];
}

/** A schema registry in memory with the part of the Confluent API that orders need, and faults on request. */
export class FakeRegistry {
  readonly subjects = new Map<string, Entry[]>();
  readonly requests: string[] = [];
  /** The path prefix of the API; unless it is empty, a plain `/subjects` is 404. */
  prefix = '';
  credentials: string | null = null;
  /** Answer everything with this status. */
  failWith: number | null = null;
  /** The number of next requests that fail with it. */
  fails = Infinity;
  /** Refuse new versions with this reason. */
  incompatible: string | null = null;
  #nextId = 1;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Adds a schema as another client would. @returns its id */
  add(subject: string, schema: unknown, rest: Partial<Entry> = {}): number {
    const entry = {
      ...rest,
      id: this.#nextId++,
      schema: typeof schema === 'string' ? schema : JSON.stringify(schema),
    };
    this.subjects.set(subject, [...(this.subjects.get(subject) ?? []), entry]);
    return entry.id;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const { status, json } = this.#route(request, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  }

  #route(request: IncomingMessage, body: string): { status: number; json: unknown } {
    const url = request.url ?? '';
    if (this.failWith !== null && this.fails-- > 0)
      return { status: this.failWith, json: { error_code: this.failWith, message: 'as the test wants it' } };
    if (this.credentials !== null) {
      const wanted = `Basic ${Buffer.from(this.credentials).toString('base64')}`;
      if (request.headers.authorization !== wanted) return { status: 401, json: { error_code: 401 } };
    }
    if (!url.startsWith(`${this.prefix}/`)) return { status: 404, json: { message: 'no such page' } };
    const path = url
      .slice(this.prefix.length)
      .replace(/\?.*/, '')
      .split('/')
      .slice(1)
      .map(decodeURIComponent);
    const [noun, name = '', versions, version] = path;
    if (noun === 'schemas' && name === 'ids') return this.#one(({ id }) => id === Number(path[2]));
    if (noun === 'schemas' && this.#hasGuids()) return this.#one(({ guid }) => guid === path[2]);
    if (noun === 'schemas') return { status: 404, json: { message: 'RESTEASY003210' } };
    if (name === '') return { status: 200, json: [...this.subjects.keys()] };
    const entries = this.subjects.get(name) ?? [];
    if (request.method === 'GET') return { status: 200, json: entries[Number(version) - 1] ?? {} };
    const { schema } = JSON.parse(body) as { schema: string };
    const found = entries.find((entry) => entry.schema === schema);
    if (versions === undefined) {
      return found === undefined
        ? { status: 404, json: { error_code: 40403 } }
        : { status: 200, json: found };
    }
    if (this.incompatible !== null)
      return { status: 409, json: { error_code: 409, message: this.incompatible } };
    return { status: 200, json: { id: found?.id ?? this.add(name, schema) } };
  }

  /** An older registry does not have such a resource. */
  #hasGuids(): boolean {
    return [...this.subjects.values()].flat().some(({ guid }) => guid !== undefined);
  }

  #one(isIt: (entry: Entry) => boolean): { status: number; json: unknown } {
    const found = [...this.subjects.values()].flat().find(isIt);
    return found === undefined
      ? { status: 404, json: { error_code: 40403, message: 'Schema not found' } }
      : { status: 200, json: { ...found, id: undefined } };
  }
}
