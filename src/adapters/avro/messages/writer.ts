import { isFields } from '../../../domain/messages/fields.ts';
import type { AvroType, FieldType, RecordType } from '../../../domain/messages/message.ts';
import { holdsName, isNullable } from '../../../domain/messages/parse.ts';
import { isName } from '../../../domain/names.ts';
import { GREATEST_TIME_MS, MAX_LINE_QUANTITY } from '../../../domain/orders/order.ts';
import { HEADER_BYTES, MAGIC_BYTE } from '../wire-format.ts';
import {
  MOST_AMOUNT_BYTES,
  MOST_BYTES_PER_UNIT,
  MOST_LONG_BYTES,
  writeAmount,
  writeLong,
  writeText,
} from '../write-values.ts';

/** @returns false for a value that is not exactly as parseMessage returns it */
type Write = (value: unknown, into: Chunks) => boolean;

const CHUNK_BYTES = 64 * 1024;
const AMOUNT = /^-?\d{1,8}\.\d{2}$/;

/** Writes values one after another into shared buffers: a buffer per value would cost more than the encoding. */
class Chunks {
  bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  at = 0;
  #from = 0;

  begin(): void {
    this.#from = this.at;
    this.room(HEADER_BYTES);
    this.bytes[this.at] = MAGIC_BYTE;
    this.at += HEADER_BYTES;
  }

  /** Makes room for this many bytes, which are written next. */
  room(sizeBytes: number): void {
    if (this.at + sizeBytes <= this.bytes.length) return;
    const begun = this.bytes.subarray(this.#from, this.at);
    this.bytes = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, 2 * begun.length + sizeBytes));
    this.bytes.set(begun);
    this.#from = 0;
    this.at = begun.length;
  }

  end(): Buffer {
    return this.bytes.subarray(this.#from, this.at);
  }

  drop(): void {
    this.at = this.#from;
  }
}

/**
 * Creates a writer of values in the Confluent wire format, with room for the schema id.
 *
 * @returns each value's bytes; null for a value that is not exactly as parseMessage returns it
 */
export function messageWriter(schema: RecordType): (values: readonly unknown[]) => (Buffer | null)[] {
  const write = writerOf(schema);
  return (values) => {
    const into = new Chunks();
    return values.map((value) => {
      into.begin();
      if (write(value, into)) return into.end();
      into.drop();
      return null;
    });
  };
}

function writerOf(type: AvroType): Write {
  if (type === 'string') return text;
  if (type === 'int') return wholeUpTo(MAX_LINE_QUANTITY, -MAX_LINE_QUANTITY - 1);
  if (type === 'long') return wholeUpTo(Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER);
  if (isNullable(type)) return nullable(writerOf(type[1]));
  switch (type.type) {
    case 'bytes':
      return amount;
    case 'long':
      return wholeUpTo(GREATEST_TIME_MS, -GREATEST_TIME_MS);
    case 'enum':
      return symbolOf(type.symbols);
    case 'array':
      return listOf(writerOf(type.items));
    case 'record':
      return fieldsOf(type);
  }
}

function text(value: unknown, into: Chunks): boolean {
  if (typeof value !== 'string') return false;
  into.room(MOST_LONG_BYTES + value.length * MOST_BYTES_PER_UNIT);
  into.at = writeText(value, into.bytes, into.at);
  return true;
}

function wholeUpTo(most: number, least: number): Write {
  return (value, into) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value > most || value < least) return false;
    into.room(MOST_LONG_BYTES);
    into.at = writeLong(value, into.bytes, into.at);
    return true;
  };
}

function amount(value: unknown, into: Chunks): boolean {
  if (typeof value !== 'string' || !AMOUNT.test(value)) return false;
  into.room(MOST_AMOUNT_BYTES);
  into.at = writeAmount(value, into.bytes, into.at);
  return true;
}

/** Writes the index of a branch or a symbol, or the number of items in a block. */
function choose(index: number, into: Chunks): void {
  into.room(MOST_LONG_BYTES);
  into.at = writeLong(index, into.bytes, into.at);
}

function nullable(write: Write): Write {
  return (value, into) => {
    choose(value === null ? 0 : 1, into);
    return value === null || write(value, into);
  };
}

function symbolOf(symbols: readonly string[]): Write {
  const indexes = new Map<unknown, number>(symbols.map((symbol, index) => [symbol, index]));
  return (value, into) => {
    const index = indexes.get(value);
    if (index !== undefined) choose(index, into);
    return index !== undefined;
  };
}

function listOf(write: Write): Write {
  return (value, into) => {
    if (!Array.isArray(value)) return false;
    if (value.length > 0) choose(value.length, into);
    for (const one of value) if (!write(one, into)) return false;
    choose(0, into);
    return true;
  };
}

function fieldsOf({ fields }: RecordType): Write {
  const writers = fields.map((field) => ({ name: field.name, write: fieldOf(field) }));
  return (value, into) => {
    // A field given under an alias is missing here.
    if (!isFields(value)) return false;
    for (const { name, write } of writers) if (!write(value[name], into)) return false;
    return true;
  };
}

function fieldOf({ name, type }: FieldType): Write {
  const write = writerOf(type);
  if (!holdsName(name)) return write;
  return (value, into) => (typeof value !== 'string' || isName(value)) && write(value, into);
}
