import { parseIsoTime } from '../iso-time.ts';
import { GREATEST_TIME_MS } from '../orders/order.ts';

/** Why fields are not a valid message. The codes are those of dead letters. */
export interface FieldProblem {
  readonly code: 'missing_field' | 'invalid_field' | 'invalid_name';
  readonly message: string;
}

/** Internal to the parsers: thrown and caught while fields are parsed. */
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
 * The value of a field. Only own keys count: `constructor` and `__proto__` are not fields of a message. Null counts as
 * absent, since producers write null for an optional field that they leave out.
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

/** A value for an error message, shortened. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
