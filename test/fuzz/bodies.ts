import { startApi } from '../../src/http/server.ts';
import type { Shop } from '../../src/http/shop.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Meter } from '../../src/ports/outside/meter.ts';
import { cut, draws, EVIL_NAMES, EVIL_NUMBERS, EVIL_VALUES, flipped, type Draw } from './hostile-records.ts';

/*
 * Bodies of every call of the API that takes one, from what it asks for to none. The shop behind it refuses everything: a
 * body that is taken ends as a conflict, any other as a problem of the client's, and none as a bug or without an answer.
 */

export interface BodyCounts {
  bodies: number;
  /** What the shop was asked for. */
  taken: number;
  byStatus: Record<number, number>;
}

export function noBodyCounts(): BodyCounts {
  return { bodies: 0, taken: 0, byStatus: {} };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly schema: Schema;
}

/** As much of a JSON schema as the API uses. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

const LONGEST_MS = 60_000;
/** The server takes 1 MiB. */
const TOO_LONG_BYTES = 2 ** 20 + 1;
const TYPES = ['application/json', 'application/json; charset=utf-8', 'text/plain', 'application/xml', ''];

/**
 * @param each how many to each call
 * @throws Error what was found, naming seed, call and body
 */
export async function fuzzBodies(seed: number, each: number, counts: BodyCounts): Promise<void> {
  const bugs: unknown[] = [];
  await using api = await startApi(refusing(counts), {
    host: '127.0.0.1',
    port: 0,
    version: '0.0.0',
    rateLimit: null,
    token: null,
    meter: NO_METER,
    wayOut: () => 'none',
    onBug: (error) => bugs.push(error),
  });
  for (const call of await callsOf(api.url)) {
    for (let index = 0; index < each; index++) {
      const draw = draws(seed * 1_000_003 + index);
      const body = bodyOf(draw, call.schema);
      const type = draw.below(10) === 0 ? draw.pick(TYPES) : 'application/json';
      try {
        const status = await send(`${api.url}${call.path}`, { ...call, body, type });
        counts.bodies += 1;
        counts.byStatus[status] = (counts.byStatus[status] ?? 0) + 1;
        if (bugs.length > 0) throw bugs[0];
        if (status < 400 || status >= 500) throw new Error(`answered with ${status}`);
      } catch (error) {
        const shown = body.subarray(0, 200).toString();
        throw new Error(`seed ${seed}, body ${index} of ${call.method} ${call.path}: ${shown}`, {
          cause: error,
        });
      }
    }
  }
}

async function send(
  url: string,
  { method, body, type }: { readonly method: string; readonly body: Buffer; readonly type: string },
): Promise<number> {
  const headers = { ...(type === '' ? {} : { 'content-type': type }), 'if-match': '*' };
  const init = { method, headers, body, signal: AbortSignal.timeout(LONGEST_MS) };
  const answer = await fetch(url, init);
  const text = await answer.text();
  const problem = JSON.parse(text) as { readonly status?: unknown; readonly detail?: unknown };
  if (problem.status !== answer.status) throw new Error(`the answer is no problem: ${text}`);
  return answer.status;
}

async function callsOf(url: string): Promise<readonly Call[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as Described;
  const calls = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { requestBody }]) => {
      const schema = Object.values(requestBody?.content ?? {})[0]?.schema;
      if (schema === undefined) return [];
      return [{ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, 'some'), schema }];
    }),
  );
  if (calls.length === 0) throw new Error('no call takes a body');
  return calls;
}

function bodyOf(draw: Draw, schema: Schema): Buffer {
  const { below, pick, bytes } = draw;
  const valid = (): Buffer => Buffer.from(JSON.stringify(valueOf(draw, schema, 0)));
  const kinds: readonly (() => Buffer)[] = [
    valid,
    valid,
    () => Buffer.from(JSON.stringify(valueOf(draw, schema, 4))),
    () => Buffer.from(JSON.stringify(valueOf(draw, schema, 2))),
    () => cut(draw, valid()),
    () => flipped(draw, valid()),
    () => bytes(below(60)),
    () => Buffer.from(JSON.stringify(pick(EVIL_VALUES))),
    () => Buffer.from('['.repeat(1 + below(50_000))),
    () => Buffer.from(`{"__proto__":${valid().toString()},"constructor":{"prototype":{}}}`),
    () => Buffer.alloc(below(20) === 0 ? TOO_LONG_BYTES : below(3), 0x20),
  ];
  return pick(kinds)();
}

/** @param evil one value among so many is none that is asked for; 0: all are */
function valueOf(draw: Draw, schema: Schema, evil: number): unknown {
  const { below, pick } = draw;
  if (evil > 0 && below(evil) === 0) return pick([...EVIL_VALUES, ...EVIL_NAMES, ...EVIL_NUMBERS]);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return valueOf(draw, pick(choices), evil);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return pick(schema.enum);
  switch (Array.isArray(schema.type) ? pick(schema.type as readonly string[]) : schema.type) {
    case 'object':
      return objectOf(draw, schema, evil);
    case 'array':
      return Array.from({ length: 1 + below(3) }, () => valueOf(draw, schema.items ?? {}, evil));
    case 'integer':
    case 'number':
      return 1 + below(5);
    case 'boolean':
      return below(2) === 0;
    case 'null':
      return null;
    case undefined:
    default:
      return pick(['pen', 'alice', '2.50', 'O-1']);
  }
}

function objectOf(draw: Draw, { properties = {}, required = [] }: Schema, evil: number): object {
  const { below } = draw;
  const fields = Object.entries(properties).flatMap(([name, schema]) => {
    const isLeftOut = required.includes(name) ? evil > 0 && below(evil * 2) === 0 : below(2) === 0;
    return isLeftOut ? [] : [[name, valueOf(draw, schema, evil)] as const];
  });
  const more =
    evil > 0 && below(evil) === 0 ? [['extra', EVIL_VALUES[below(EVIL_VALUES.length)]] as const] : [];
  return Object.fromEntries([...fields, ...more]);
}

/** A shop in which nothing is done: whatever it is asked for is a conflict. */
function refusing(counts: BodyCounts): Shop {
  const plain = {
    users: 'required',
    lowStock: 1,
    now: () => 0,
    newOrderId: () => 'O-1',
    orderIdOf: () => 'O-1',
    onNotice: () => undefined,
    onEdit: () => undefined,
    live: { feed: { close: () => undefined } },
  };
  const refuse = async (): Promise<never> => {
    counts.taken += 1;
    throw new Failure('already_exists', 'the shop does nothing', { fix: 'none' });
  };
  const part = new Proxy({}, { get: () => refuse });
  return new Proxy(plain, {
    get: (of, name) => (name in of ? (Reflect.get(of, name) as unknown) : callable(refuse, part)),
  }) as unknown as Shop;
}

/** For what is a call, and for what has calls. */
function callable(refuse: () => Promise<never>, part: object): unknown {
  return new Proxy(refuse, { get: (_, name) => Reflect.get(part, name) as unknown });
}

const NO_METER: Meter = {
  add: () => undefined,
  observe: () => undefined,
  watch: () => undefined,
  text: async () => '',
  contentType: 'text/plain',
};
