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

/** Fixes by status, for problems that have none of their own. */
const FIXES: Readonly<Record<number, string>> = {
  400: 'send an HTTP/1.1 request; see /docs for what each call accepts',
  408: 'send the whole request within 10 seconds',
  413: 'send at most 1 MiB; for an order of the checkout, at most 512 KiB',
  415: 'send JSON, with the header "Content-Type: application/json"',
  429: 'send fewer requests',
  431: 'send fewer or shorter headers',
  500: 'ask the operator of the server: its log has the error',
  503: 'send it again after the number of seconds in Retry-After',
};

/** Errors for a body that is not the JSON that its header announces. */
const NOT_JSON = new Set(['FST_ERR_CTP_INVALID_JSON_BODY', 'FST_ERR_CTP_EMPTY_JSON_BODY']);

function fixOf(status: number, error?: unknown): string {
  if (error instanceof Error && 'code' in error && NOT_JSON.has(String(error.code)))
    return 'send valid JSON; see /docs for what each call accepts';
  return FIXES[status] ?? 'see /docs for what each call accepts';
}

/** Seconds until a client should retry: enough for a broker to restart. */
const RETRY_AFTER = '2';

export interface ProblemOptions {
  /** Returns the fix as a command, if no API call fixes it. */
  readonly wayOut: (fix: Advice) => string;
  /** Receives bugs, whose details clients do not see. */
  readonly onBug: (error: unknown) => void;
}

/** Answers every error as `application/problem+json` (RFC 9457). */
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

/** The status of an error that Fastify or a plugin raised for a request; null for other errors. */
function errorStatus(error: unknown): number | null {
  if (error instanceof Failure || !(error instanceof Error) || !('statusCode' in error)) return null;
  // Well-formed, but a field is invalid.
  if ('validation' in error) return 422;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : null;
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) {
    const { fix, message, context } = error;
    // The folder existed when the server started, so the request is not at fault.
    const isGone = fix !== null && typeof fix === 'object' && fix.kind === 'begin_storage';
    return isGone ? new Failure('store_unreachable', message, { fix: 'put it back', context }) : error;
  }
  const status = errorStatus(error);
  if (status !== null && error instanceof Error) {
    const code = status === 404 ? 'not_found' : status === 400 || status === 422 ? 'invalid_value' : 'usage';
    return new Failure(code, error.message, { fix: fixOf(status, error) });
  }
  return new Failure('bug', 'the server failed: its log has the error');
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

/** The message for a request that does not match its schema, from ajv's first error. @param part such as `body` */
export function schemaProblem([error]: readonly SchemaError[], part: string): Error {
  const { instancePath = '', keyword = '', message = 'is not valid', params = {}, data } = error ?? {};
  const field = instancePath === '' ? part : instancePath.slice(1);
  const given = (): string => `${field} ${JSON.stringify(data).slice(0, SHOWN)}`;
  switch (keyword) {
    case 'pattern': {
      // The description is what the field accepts, then after ";" its purpose.
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
      return new Error(`${field} has nothing to change`);
    case 'not': {
      const excluded = error?.parentSchema?.not?.required ?? [];
      return new Error(`${excluded.map((name) => JSON.stringify(name)).join(' and ')} cannot be combined`);
    }
    case 'required':
      return new Error(`${field} has no ${JSON.stringify(params.missingProperty)}, which is required`);
    default:
      return new Error(`${field} ${message}`);
  }
}

/** Characters of the sent value that a message shows. */
const SHOWN = 200;

/** Answers requests that are not HTTP, arrive too slowly or are too large to be parsed. */
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
  /** The bytes received, if Node parsed any. */
  readonly rawPacket?: unknown;
}

function brokenStatus({ code = '', rawPacket }: BrokenRequest): number {
  // A method that Node does not know; anything else, such as TLS, is not an HTTP request.
  const text = Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1') : '';
  const isMethod = code === 'HPE_INVALID_METHOD' && /^[A-Z-]{1,32} /.test(text);
  return isMethod ? 501 : (BROKEN[code] ?? 400);
}

/** Statuses by the code of Node's error. */
const BROKEN: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};
