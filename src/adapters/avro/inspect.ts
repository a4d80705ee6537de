import type { Inspection, InspectedField, ValueInspector } from '../../ports/inspector.ts';
import { BadBytes, Cursor } from './cursor.ts';
import { findJsonError } from './json-error.ts';
import { decimalText } from './reader.ts';
import { Registry, type RegistryOptions } from './registry/registry.ts';
import { Widths, type Schema } from './schema.ts';
import {
  HEADER_BYTES,
  MAGIC_BYTE,
  OPENING_BRACE,
  schemaIdOf,
  schemaInHeader,
  schemaName,
  toBuffer,
} from './wire-format.ts';
import { WriterSchemas, type Writer } from './writer-schemas.ts';

const MAX_FIELDS = 300;
const MAX_VALUE_CHARACTERS = 200;
/** Fields that take no bytes can double at each level of a schema, so the number of visits is bounded too. */
const MAX_STEPS = 1_000_000;

/** Breaks values down into fields by their writer's schema. */
export function createInspector(options: RegistryOptions): ValueInspector {
  const schemas = new WriterSchemas(new Registry(options), (schema) => schema);
  return {
    async inspect(record) {
      const { value } = record;
      if (value === null)
        return found('none', { error: { position: 0, message: 'the record has no value' } });
      if (value[0] === OPENING_BRACE) return found('json', { error: findJsonError(value) });
      const inHeader = schemaInHeader(record);
      if (inHeader === undefined && value[0] !== MAGIC_BYTE) {
        const message = 'the value is neither Avro with a schema id (first byte 0) nor a JSON object';
        return found('unknown', { error: { position: 0, message } });
      }
      if (inHeader === undefined && value.length < HEADER_BYTES) {
        return found('avro', {
          error: { position: value.length, message: 'the value ends before its schema id' },
        });
      }
      const key = inHeader ?? schemaIdOf(value, 0);
      const schema = typeof key === 'number' ? { schemaId: key } : { schemaGuid: key };
      await schemas.load(new Set([key]));
      const payloadAt = inHeader === undefined ? HEADER_BYTES : 0;
      const writer = schemas.get(key);
      if (writer === undefined || writer.kind === 'unusable') {
        const message = `schema ${schemaName(key)}: ${writer?.problem ?? 'the registry does not know it'}`;
        return found('avro', { ...schema, error: { position: inHeader === undefined ? 1 : 0, message } });
      }
      return { ...breakDown(toBuffer(value), payloadAt, writer), ...schema };
    },
  };
}

function found(format: Inspection['format'], rest: Partial<Inspection>): Inspection {
  return { format, schemaId: null, schemaGuid: null, fields: [], isCut: false, error: null, ...rest };
}

/** Inspects a value whose schema is identified by its prefix or a header. */
function breakDown(
  value: Buffer,
  payloadAt: number,
  writer: Exclude<Writer<Schema>, { kind: 'unusable' }>,
): Inspection {
  if (writer.kind === 'json') return found('json', { error: jsonErrorOf(value, payloadAt) });
  const walked = walk(new Cursor(value, payloadAt), writer.compiled);
  const isJson = value[payloadAt] === OPENING_BRACE && jsonErrorOf(value, payloadAt) === null;
  return walked.error !== null && isJson ? found('json', {}) : found('avro', walked);
}

function jsonErrorOf(value: Buffer, payloadAt: number): Inspection['error'] {
  const error = findJsonError(value.subarray(payloadAt));
  return error === null ? null : { ...error, position: error.position + payloadAt };
}

function walk(cursor: Cursor, type: Schema): Pick<Inspection, 'fields' | 'isCut' | 'error'> {
  const walker = new Walker(cursor);
  let error: Inspection['error'] = null;
  try {
    walker.value(type, '');
    const { cursor } = walker;
    if (cursor.left > 0) cursor.fail(`${cursor.left} bytes follow the value`);
  } catch (failure) {
    if (!(failure instanceof BadBytes)) throw failure;
    error = { position: failure.position, message: failure.message };
  }
  return { fields: walker.fields, isCut: walker.isCut, error };
}

type Scalar = Exclude<Schema, { type: 'union' | 'record' | 'array' | 'map' }>;

/** Reads a value and notes each of its fields. */
class Walker {
  readonly cursor: Cursor;
  readonly fields: InspectedField[] = [];
  isCut = false;
  readonly #widths = new Widths();
  #steps = 0;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  value(type: Schema, path: string): void {
    const { cursor } = this;
    this.#steps += 1;
    if (this.#steps > MAX_STEPS) cursor.fail('the value has too many parts to inspect');
    cursor.nested(() => {
      if (type.type === 'union') this.value(cursor.choose('branch', type.branches), path);
      else if (type.type === 'record') {
        for (const field of type.fields)
          this.value(field.type, path === '' ? field.name : `${path}.${field.name}`);
      } else if (type.type === 'array') this.#array(type.items, path);
      else if (type.type === 'map') this.#map(type.items, path);
      else this.#scalar(type, path);
    });
  }

  #array(items: Schema, path: string): void {
    const { position } = this.cursor;
    let count = 0;
    this.cursor.blocks(this.#widths.of(items) === 0, () => {
      this.value(items, `${path}[${count}]`);
      count += 1;
    });
    if (count === 0) this.#note(path, 'array', '[]', position);
  }

  #map(values: Schema, path: string): void {
    const { position } = this.cursor;
    let count = 0;
    this.cursor.blocks(false, () => {
      const key = JSON.stringify(this.cursor.string().slice(0, 60));
      this.value(values, `${path}[${key}]`);
      count += 1;
    });
    if (count === 0) this.#note(path, 'map', '{}', position);
  }

  #scalar(type: Scalar, path: string): void {
    const { position } = this.cursor;
    const value = this.#read(type);
    const decimal = 'meaning' in type && type.meaning?.kind === 'decimal' ? type.meaning : null;
    let text = String(value);
    if (typeof value === 'string') text = JSON.stringify(value.slice(0, MAX_VALUE_CHARACTERS));
    else if (Buffer.isBuffer(value)) text = decimal === null ? hex(value) : decimalText(value, decimal.scale);
    this.#note(path, decimal === null ? type.type : 'decimal', text, position);
  }

  #read(type: Scalar): string | number | bigint | boolean | null | Buffer {
    const { cursor } = this;
    switch (type.type) {
      case 'null':
        return null;
      case 'boolean':
        return cursor.boolean();
      case 'int':
        return cursor.int();
      case 'long':
        return cursor.long();
      case 'float':
        return cursor.float();
      case 'double':
        return cursor.double();
      case 'string':
        return cursor.string();
      case 'bytes':
        return cursor.bytes();
      case 'fixed':
        return cursor.fixed(type.size);
      case 'enum':
        return cursor.choose('symbol', type.symbols);
    }
  }

  #note(path: string, type: string, value: string, position: number): void {
    if (this.fields.length < MAX_FIELDS) this.fields.push({ path, type, value, position });
    else this.isCut = true;
  }
}

function hex(value: Buffer): string {
  const most = MAX_VALUE_CHARACTERS / 2;
  return `0x${value.toString('hex', 0, most)}${value.length > most ? '…' : ''}`;
}
