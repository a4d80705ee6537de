import { Type } from 'typebox';
import { timeGiven } from '../../documents/http/request.ts';
import { Failure } from '../../domain/failure.ts';
import { parseIsoTime } from '../../domain/iso-time.ts';

/* The query parameters that all lists share. */

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

export const PAGE = {
  limit: Type.Optional(
    Type.String({
      pattern: `^(${MAX_LIMIT}|[1-4]?[0-9]{2}|[1-9])$`,
      description: `a whole number from 1 to ${MAX_LIMIT}; default ${DEFAULT_LIMIT}`,
    }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 8_192, description: '"next" of the previous page' })),
};

/** @param what the event that the times refer to, such as `decided` */
export function timeRange(what: string) {
  return {
    since: Type.Optional(timeGiven(`${what} at or after this time, by ISO 8601`)),
    until: Type.Optional(timeGiven(`${what} before this time`)),
  };
}

export interface PageQuery {
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

export function limitOf({ limit }: PageQuery): number {
  return Number(limit ?? DEFAULT_LIMIT);
}

/** @throws Failure invalid_value */
export function timesOf({ since, until }: PageQuery): { sinceMs: number | null; untilMs: number | null } {
  return {
    sinceMs: since === undefined ? null : timeIn('since', since),
    untilMs: until === undefined ? null : timeIn('until', until),
  };
}

function timeIn(name: string, text: string): number {
  const time = parseIsoTime(text);
  if (typeof time === 'object') return time.ms;
  throw new Failure('invalid_value', `${name} ${JSON.stringify(text)} is not a time by ISO 8601`, {
    fix: 'for example 2026-11-21T10:00:00Z',
  });
}

/** An opaque cursor that a client sends back unchanged. */
export function cursorOf(mark: unknown): string {
  return Buffer.from(JSON.stringify(mark)).toString('base64url');
}

/**
 * @param isMark whether a value is of the type that `cursorOf` encoded, since a client may send anything
 * @throws Failure invalid_value
 */
export function markOf<T>({ cursor }: PageQuery, isMark: (value: unknown) => value is T): T | null {
  if (cursor === undefined) return null;
  try {
    const mark: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (isMark(mark)) return mark;
  } catch {
    // Reported below.
  }
  throw new Failure('invalid_value', `cursor ${JSON.stringify(cursor)} was not issued by this API`, {
    fix: 'use "next" of the previous page',
  });
}
