import type { AvroType, FieldType, RecordType } from '../../../domain/messages/message.ts';
import { holdsName, isNullable } from '../../../domain/messages/parse.ts';
import { isName } from '../../../domain/names.ts';
import { GREATEST_TIME_MS } from '../../../domain/orders/order.ts';
import { BadBytes, Cursor } from '../cursor.ts';

/*
 * A fast reader for the layout that messageWriter writes. Nearly all messages come from our own processors, and the
 * general reader followed by parseMessage takes three times as long. Anything unusual in the bytes is left to those
 * two, which report what is wrong and where.
 */

/** @returns the value as parseMessage returns it; undefined for anything unusual */
type Read = (cursor: Cursor) => unknown;

/** @param schema the writer's schema must have its layout */
export function messageReader(schema: RecordType): (bytes: Buffer, from: number, to: number) => unknown {
  const read = fieldsOf(schema);
  return (bytes, from, to) => {
    const cursor = new Cursor(bytes, from, to);
    try {
      const value = read(cursor);
      return cursor.left === 0 ? value : undefined;
    } catch (error) {
      if (error instanceof BadBytes) return undefined;
      throw error;
    }
  };
}

function readerOf(type: AvroType): Read {
  if (type === 'string') return (cursor) => cursor.string();
  if (type === 'int') return (cursor) => cursor.int();
  if (type === 'long') return exact;
  if (isNullable(type)) return nullable(readerOf(type[1]));
  switch (type.type) {
    case 'bytes':
      return amount;
    case 'long':
      return time;
    case 'enum':
      return (cursor) => cursor.choose('symbol', type.symbols);
    case 'array':
      return listOf(readerOf(type.items));
    case 'record':
      return fieldsOf(type);
  }
}

function exact(cursor: Cursor): number | undefined {
  const value = cursor.long();
  return typeof value === 'number' ? value : undefined;
}

function time(cursor: Cursor): number | undefined {
  const value = cursor.long();
  return typeof value === 'number' && Math.abs(value) <= GREATEST_TIME_MS ? value : undefined;
}

/** Reads an amount in hundredths. */
function amount(cursor: Cursor): string | undefined {
  const signed = cursor.signed();
  const hundredths = Math.abs(signed);
  // At most ten digits. Negated, so that NaN is rejected too.
  if (!(hundredths < 1e10)) return undefined;
  const cents = hundredths % 100;
  return `${signed < 0 ? '-' : ''}${(hundredths - cents) / 100}.${cents < 10 ? '0' : ''}${cents}`;
}

function nullable(read: Read): Read {
  const branches: readonly Read[] = [() => null, read];
  return (cursor) => cursor.choose('branch', branches)(cursor);
}

function listOf(read: Read): Read {
  return (cursor) => {
    const items: unknown[] = [];
    cursor.blocks(false, () => items.push(read(cursor)));
    return items.includes(undefined) ? undefined : items;
  };
}

function fieldsOf({ fields }: RecordType): Read {
  const readers = fields.map((field) => ({ name: field.name, read: fieldOf(field) }));
  // Copying an object with all the fields is cheaper than adding them one by one.
  const empty = Object.fromEntries(fields.map(({ name }) => [name, null]));
  return (cursor) => {
    const value: Record<string, unknown> = { ...empty };
    for (const { name, read } of readers) {
      const one = read(cursor);
      if (one === undefined) return undefined;
      value[name] = one;
    }
    return value;
  };
}

function fieldOf({ name, type }: FieldType): Read {
  const read = readerOf(type);
  if (!holdsName(name)) return read;
  return (cursor) => {
    const value = read(cursor);
    return typeof value !== 'string' || isName(value) ? value : undefined;
  };
}
