import { parseIsoTime } from '../iso-time.ts';
import { GREATEST_TIME_MS } from '../orders/order.ts';

/** Why fields are no message, by the codes of dead letters. */
export interface FieldProblem {
  readonly code: 'missing_field' | 'invalid_field' | 'invalid_name';
  readonly message: string;
}

/** Thrown while fields are read, and caught where they are read. */
export class Refusal extends Error {
  readonly code: FieldProblem['code'];
  constructor(code: FieldProblem['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Own keys only: `constructor` and `__proto__` are no fields of a message. Null is absent: that is how producers with
 * optional fields leave one out.
 */
export function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? (fields[name] ?? undefined) : undefined;
}

/** @returns milliseconds since the epoch @throws Refusal */
export function timeOf(value: unknown, name: string): number {
  const parsed = typeof value === 'string' ? parseIsoTime(value) : null;
  const time = typeof parsed === 'object' && parsed !== null ? parsed.ms : value;
  if (typeof time === 'number' && Number.isInteger(time) && Math.abs(time) <= GREATEST_TIME_MS) return time;
  const why = parsed === 'unreal' ? 'a time that exists' : 'milliseconds or an ISO 8601 time';
  throw new Refusal('invalid_field', `${name} is ${show(value)}, not ${why}`);
}

const SHOWN_CHARACTERS = 40;

/** For a message. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
