import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Advice } from '../domain/advice.ts';
import { Failure, type FailureCode } from '../domain/failure.ts';
import type { Problem } from '../documents/http/problem.ts';
import { callFor } from './ways.ts';

/** The status of each failure. Codes that no request can cause are bugs. */
const STATUSES: Partial<Record<FailureCode, number>> = {
  usage: 400,
  invalid_value: 422,
  invalid_input: 422,
  not_found: 404,
  topic_missing: 503,
  already_exists: 409,
  folder_in_use: 409,
  already_decided: 409,
  changed_since: 412,
  broker_unreachable: 503,
  broker_refused: 503,
  registry_unreachable: 503,
  registry_refused: 503,
  store_unreachable: 503,
  store_refused: 503,
  owner_unreachable: 503,
  interrupted: 503,
};

/** Ways out, by status, of what names none itself. */
const FIXES: Readonly<Record<number, string>> = {
  400: 'send an HTTP/1.1 request; /docs says what each call takes',
  408: 'send the whole request within 10 seconds',
  413: 'send at most 1 MiB, of an order of the checkout at most 512 KiB',
  415: 'send JSON, with the header "Content-Type: application/json"',
  429: 'send fewer requests',
  431: 'send fewer or shorter headers',
  500: 'ask those who run the server: its log says how it failed',
  503: 'send it again after as many seconds as Retry-After says',
};

/** Of a request whose body is not what its header says. */
const NOT_JSON = new Set(['FST_ERR_CTP_INVALID_JSON_BODY', 'FST_ERR_CTP_EMPTY_JSON_BODY']);

function fixOf(status: number, error?: unknown): string {
  if (error instanceof Error && 'code' in error && NOT_JSON.has(String(error.code)))
    return 'send valid JSON; /docs says what each call takes';
  return FIXES[status] ?? 'see /docs for what each call takes';
}

/** Seconds until a client should try again: a broker that restarts is back by then. */
const RETRY_AFTER = '2';

export interface ProblemOptions {
  /** The way out as a command, where no call is one. */
  readonly wayOut: (fix: Advice) => string;
  /** Receives bugs, of which clients see no details. */
  readonly onBug: (error: unknown) => void;
}

/** Answers whatever fails as `application/problem+json` (RFC 9457). */
export function problemHandler({ wayOut, onBug }: ProblemOptions) {
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
    const failure = failureOf(error);
    if (failure.code === 'bug') onBug(error);
    const status = statusOf(failure, error);
    const { fix, context, code } = failure;
    const problem: Problem = {
      type: 'about:blank',
      title: code,
      status,
      code,
      detail: failure.message,
      fix: fix === null ? fixOf(status) : (callFor(fix) ?? wayOut(fix)),
      order_id: context.orderId ?? null,
    };
    if (status === 503) void reply.header('retry-after', RETRY_AFTER);
    void reply.code(status).type('application/problem+json').send(JSON.stringify(problem));
  };
}

function statusOf(failure: Failure, error: unknown): number {
  return errorStatus(error) ?? STATUSES[failure.code] ?? 500;
}

/** What Fastify and its plugins found wrong with a request. */
function errorStatus(error: unknown): number | null {
  if (error instanceof Failure || !(error instanceof Error) || !('statusCode' in error)) return null;
  // Well-formed, and wrong in a field.
  if ('validation' in error) return 422;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : null;
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) {
    const { fix, message, context } = error;
    // The folder was there when the server began: no request is wrong.
    const isGone = fix !== null && typeof fix === 'object' && fix.kind === 'begin_storage';
    return isGone ? new Failure('store_unreachable', message, { fix: 'put it back', context }) : error;
  }
  const status = errorStatus(error);
  if (status !== null && error instanceof Error) {
    const code = status === 404 ? 'not_found' : status === 400 || status === 422 ? 'invalid_value' : 'usage';
    return new Failure(code, error.message, { fix: fixOf(status, error) });
  }
  return new Failure('bug', 'the server failed: its log says how');
}

interface SchemaError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
  readonly parentSchema?: {
    readonly description?: string;
    readonly not?: { readonly required?: readonly string[] };
  };
}

/** What is wrong with a request, by the first of ajv's errors. @param part such as `body` */
export function schemaProblem([error]: readonly SchemaError[], part: string): Error {
  const { instancePath = '', keyword = '', message = 'is not valid', params = {}, data } = error ?? {};
  const field = instancePath === '' ? part : instancePath.slice(1);
  const given = (): string => `${field} ${JSON.stringify(data).slice(0, SHOWN)}`;
  switch (keyword) {
    case 'pattern': {
      // What is taken; after that, what it is for.
      const [takes = ''] = (error?.parentSchema?.description ?? '').split(';');
      return new Error(/^(?:an?|one) /.test(takes) ? `${given()} is not ${takes}` : `${field} ${message}`);
    }
    case 'enum': {
      const allowed = (params.allowedValues as readonly unknown[]).filter((value) => value !== '');
      return new Error(`${given()} is not one of ${allowed.join(', ')}`);
    }
    case 'additionalProperties': {
      const name = JSON.stringify(params.additionalProperty).slice(0, SHOWN);
      return new Error(
        `${part === 'querystring' ? 'the query' : field} has ${name}, which is not known here`,
      );
    }
    case 'minProperties':
      return new Error(`${field} names nothing that is to change`);
    case 'not': {
      const excluded = error?.parentSchema?.not?.required ?? [];
      return new Error(`${excluded.map((name) => JSON.stringify(name)).join(' and ')} cannot be combined`);
    }
    case 'required':
      return new Error(`${field} has no ${JSON.stringify(params.missingProperty)}, which is needed here`);
    default:
      return new Error(`${field} ${message}`);
  }
}

/** Of what was sent, in a message. */
const SHOWN = 200;

/** Answers what is no HTTP, or comes too slowly or at too great a length to be read as such. */
export function refuseBroken(error: BrokenRequest, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = brokenStatus(error);
  const detail = STATUS_CODES[status] ?? '';
  const problem: Problem = {
    type: 'about:blank',
    title: 'usage',
    status,
    code: 'usage',
    detail: `the request cannot be read: ${detail}`,
    fix: fixOf(status),
    order_id: null,
  };
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${status} ${detail}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

interface BrokenRequest extends Error {
  readonly code?: string;
  /** What came, where it was looked at. */
  readonly rawPacket?: unknown;
}

function brokenStatus({ code = '', rawPacket }: BrokenRequest): number {
  // A method that Node does not know; what is no method, such as TLS, is no request.
  const text = Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1') : '';
  const isMethod = code === 'HPE_INVALID_METHOD' && /^[A-Z-]{1,32} /.test(text);
  return isMethod ? 501 : (BROKEN[code] ?? 400);
}

/** By the code of Node's error. */
const BROKEN: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};
