import { Compile } from 'typebox/compile';
import { expect } from 'vitest';
import type { Problem } from '../../src/documents/http/problem.ts';
import { fill, openShop, type Running, type Shop } from './cli.ts';
import { waitFor } from './wait.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

/**
 * Starts `orderctl serve` on a free port: in the test's process, unless `shop` runs the built binary. Every answer is
 * compared with the server's own OpenAPI document.
 */
export async function serve(
  shop: Shop,
  args = '',
): Promise<{ server: Running; call: Call; url: string; reached: ReadonlySet<string> }> {
  const server = shop.host(`serve --port 0 ${args} -o json`);
  await waitFor('address', server.stdout, (text) => text.endsWith('\n'), { timeoutMs: 60_000 });
  const { url } = JSON.parse(server.stdout()) as { url: string };
  const described = await fetch(`${url}/openapi.json`);
  const api = described.ok ? ((await described.json()) as OpenApi) : null;
  const reached = new Set<string>();
  const call: Call = async (method, where, body, headers = {}) => {
    const response = await fetch(`${url}${where}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get('content-type');
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      body: type?.includes('json') === true ? JSON.parse(text) : text,
    };
    if (api !== null) {
      // Every failure has a fix.
      if (type?.includes('problem') === true) expect((answer.body as Problem).fix, text).toMatch(/\w/);
      const of = checkAnswer(api, method, where, answer);
      if (of !== null) reached.add(of);
    }
    return answer;
  };
  return { server, call, url, reached };
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/**
 * Compares an answer with the document.
 *
 * @returns `GET /orders/{id} 200`; null when the document does not have the path
 * @throws Error when the answer has another status, media type or shape
 */
function checkAnswer(api: OpenApi, method: string, where: string, answer: Answer): string | null {
  const { pathname } = new URL(where, 'http://localhost');
  const path = Object.keys(api.paths)
    .toSorted((a, b) => a.split('{').length - b.split('{').length)
    .find((template) => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname));
  const operation = path === undefined ? undefined : api.paths[path]?.[method.toLowerCase()];
  if (path === undefined || operation === undefined) return null;
  const name = `${method} ${path} ${answer.status}`;
  const response = operation.responses[String(answer.status)];
  if (response === undefined) throw new Error(`${name} is not in the OpenAPI document`);
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const content = response.content?.[type];
  if (content === undefined && (response.content !== undefined || answer.body !== ''))
    throw new Error(`${name}: the OpenAPI document has no ${type}`);
  if (content === undefined || !type.includes('json')) return name;
  const validator = compiled(content.schema);
  if (validator.Check(answer.body)) return name;
  const problems = validator
    .Errors(answer.body)
    .map(({ instancePath, message }) => `${instancePath} ${message}`);
  throw new Error(`${name}: ${JSON.stringify(answer.body)}: ${problems.join('; ')}`);
}

/** By the text of their schema: all servers have the same schemas, and compiling one takes longer than most calls. */
const validators = new Map<string, ReturnType<typeof Compile>>();

function compiled(schema: object): ReturnType<typeof Compile> {
  const text = JSON.stringify(schema);
  const known = validators.get(text) ?? Compile(schema);
  validators.set(text, known);
  return known;
}

export function shopWith(items: Record<string, number>): Shop {
  const shop = openShop();
  fill(shop, { alice: 'paid', bob: 'unpaid' }, items);
  return shop;
}
