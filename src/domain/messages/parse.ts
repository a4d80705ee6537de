import { MAX_LINE_QUANTITY } from '../orders/order.ts';
import { isName, NAME_RULE } from '../names.ts';
import { amountOf } from '../orders/price.ts';
import { isFields, own, Refusal, show, timeOf, type FieldProblem } from './fields.ts';
import type { AvroType, FieldType, RecordType, ValueOf } from './message.ts';

export type ParsedMessage<T> =
  | { readonly value: T; readonly problem?: never }
  | { readonly problem: FieldProblem; readonly value?: never };

/** Fields that must hold a name as in names.ts. Ids of events may be any text. */
const NAMES = new Set(['order_id', 'customer_id', 'product_id', 'item', 'store_id', 'supplier_id']);

/** Whether the value of this field must be a name by isName. */
export function holdsName(field: string): boolean {
  return NAMES.has(field);
}

/**
 * Parses a message from named values, as decoded from JSON or from Avro with any writer's schema. Unknown fields are
 * ignored; missing ones take their default. Problems name the field by its path, such as `items[2].quantity`.
 */
export function parseMessage<const Schema extends RecordType>(
  schema: Schema,
  value: unknown,
): ParsedMessage<ValueOf<Schema>> {
  try {
    // parseValue checks the value against the schema from which the type is derived.
    return { value: parseValue(schema, value, '') as ValueOf<Schema> };
  } catch (error) {
    if (error instanceof Refusal) return { problem: { code: error.code, message: error.message } };
    throw error;
  }
}

function parseValue(type: AvroType, value: unknown, path: string): unknown {
  if (type === 'string') return parseText(value, path);
  if (type === 'int' || type === 'long') return parseWhole(type, value, path);
  if (isNullable(type)) return parseValue(type[1], value, path);
  switch (type.type) {
    case 'bytes': {
      const amount = amountOf(value);
      return amount ?? refuse(value, path, 'an amount such as "12.50" of at most ten digits');
    }
    case 'long':
      return timeOf(value, path);
    case 'enum':
      if (typeof value === 'string' && type.symbols.includes(value)) return value;
      return refuse(value, path, `one of ${type.symbols.join(', ')}`);
    case 'array':
      if (!Array.isArray(value)) return refuse(value, path, 'a list');
      return value.map((item: unknown, at) => parseValue(type.items, item, `${path}[${at}]`));
    case 'record':
      return parseFields(type, value, path);
  }
}

function parseFields({ fields }: RecordType, value: unknown, path: string): Record<string, unknown> {
  if (!isFields(value)) return refuse(value, path === '' ? 'the value' : path, 'an object');
  const parsed: Record<string, unknown> = {};
  for (const field of fields) {
    const names = [field.name, ...(field.aliases ?? [])];
    const given = names.map((name) => own(value, name)).find((one) => one !== undefined);
    const at = path === '' ? field.name : `${path}.${field.name}`;
    parsed[field.name] = given === undefined ? defaultOf(field, at) : parseValue(field.type, given, at);
    if (holdsName(field.name)) checkName(parsed[field.name], at);
  }
  return parsed;
}

function defaultOf({ type, default: value }: FieldType, path: string): string | number | null {
  if (value !== undefined) return value;
  if (isNullable(type)) return null;
  throw new Refusal('missing_field', `field ${path} is missing`);
}

function checkName(value: unknown, path: string): void {
  if (typeof value !== 'string' || isName(value)) return;
  throw new Refusal('invalid_name', `${path} ${show(value)} is not a name: ${NAME_RULE}`);
}

function parseText(value: unknown, path: string): string {
  return typeof value === 'string' ? value : refuse(value, path, 'text');
}

function parseWhole(type: 'int' | 'long', value: unknown, path: string): number {
  const most = type === 'int' ? MAX_LINE_QUANTITY : Number.MAX_SAFE_INTEGER;
  if (typeof value !== 'number' || !Number.isInteger(value)) return refuse(value, path, 'a whole number');
  // An int has one more value below zero than above it; the safe integers of a double do not.
  const least = type === 'int' ? -most - 1 : -most;
  if (value > most || value < least) return refuse(value, path, `a number from ${least} to ${most}`);
  // Turns −0 into 0: Avro has no −0.
  return value + 0;
}

export function isNullable(type: AvroType): type is readonly ['null', AvroType] {
  return Array.isArray(type);
}

function refuse(value: unknown, path: string, wanted: string): never {
  throw new Refusal('invalid_field', `${path} is ${show(value)}, not ${wanted}`);
}
