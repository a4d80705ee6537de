import type { HttpAnswer } from './http.ts';

/* Reads a schema registry's answers, which mostly have Confluent's form. */

/** Error codes of an unknown subject, version and schema. */
const NOT_FOUND_CODES = new Set<unknown>([40401, 40402, 40403]);

export function parseObject(text: string): Record<string, unknown> | undefined {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Any other 404, such as one for a wrong path, says nothing about the subject or schema. */
export function isNotFound({ status, text }: HttpAnswer): boolean {
  return status === 404 && NOT_FOUND_CODES.has(parseObject(text)?.error_code);
}

/** The error message in an answer, or that none was given. */
export function messageOf({ text }: HttpAnswer): string {
  const message = parseObject(text)?.message;
  return (
    (typeof message === 'string' ? message : (text.trim().split('\n')[0] ?? '')).slice(0, 500) ||
    'no reason given'
  );
}

/** Why a request got no answer. @param timeoutMs of the request */
export function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  // A host name with several addresses fails once per address.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : error.message;
}

/** The registry is overloaded or failing: the request itself is not at fault. */
export function isFailing({ status }: HttpAnswer): boolean {
  return status >= 500 || status === 429 || status === 408;
}
