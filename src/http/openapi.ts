import { STATUS_CODES } from 'node:http';
import type { SwaggerTransform } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { Problem } from '../documents/http/problem.ts';
import { asDocumented } from '../documents/http/request.ts';

export interface DescribeOptions {
  readonly version: string;
  readonly token: string | null;
  readonly rateLimit: number | null;
}

/** The parts of the document that apply to the whole API. */
export function openApi({ version, token }: DescribeOptions) {
  return {
    openapi: '3.1.0' as const,
    info: {
      title: 'orderctl',
      version,
      description: 'Orders in, decisions and stock out. Failures are `application/problem+json` (RFC 9457).',
    },
    ...(token === null
      ? {}
      : {
          components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
          security: [{ token: [] }],
        }),
  };
}

/** Adds the answers that any route may give, and the media type of problems. */
export function describeAnswers({ token, rateLimit }: DescribeOptions): SwaggerTransform {
  return ({ schema, url }) => {
    const { response, body, querystring, headers } = schema as FastifySchema & {
      response?: Record<string, TSchema>;
    };
    const isChecked = [body, querystring, headers].some((part) => part !== undefined);
    const answers: Record<string, unknown> = {};
    const own: Record<string, TSchema> = {
      // A malformed path, header or query.
      400: Problem,
      ...(token === null ? {} : { 401: Problem }),
      ...(body === undefined ? {} : { 413: Problem, 415: Problem }),
      ...(isChecked ? { 422: Problem } : {}),
      ...(rateLimit === null ? {} : { 429: Problem }),
      ...response,
      431: Problem,
      500: Problem,
      // The store or the brokers cannot be reached.
      503: Problem,
    };
    for (const [status, document] of Object.entries(own)) answers[status] = answerOf(status, document);
    return { schema: { ...(asDocumented(schema) as FastifySchema), response: answers }, url };
  };
}

function answerOf(status: string, document: TSchema): unknown {
  const description = STATUS_CODES[status] ?? '';
  if ('content' in document) return document;
  if (Type.IsNull(document)) return { type: 'null', description };
  const type = Number(status) < 400 ? 'application/json' : 'application/problem+json';
  return { description, content: { [type]: { schema: document } } };
}
