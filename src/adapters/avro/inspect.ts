import type { Inspection, InspectedField, ValueInspector } from '../../ports/inspector.ts';
import { BadBytes, Cursor } from './cursor.ts';
import { findJsonError } from './json-error.ts';
import { DecimalType, decimalText, isLogical, isRecord, isUnion, type Shape } from './reader.ts';
import { Registry, type RegistryOptions } from './registry.ts';
import {
  HEADER_BYTES,
  MAGIC_BYTE,
  OPENING_BRACE,
  ownSchemaText,
  schemaIdOf,
  schemaInHeader,
  schemaName,
  toBuffer,
} from './wire-format.ts';
import { WriterSchemas } from './writer-schemas.ts';

const MAX_FIELDS = 300;
const MAX_VALUE_CHARACTERS = 200;
/** Fields that take no bytes can double at each level of a schema: what is looked at is bounded too. */
const MAX_STEPS = 1_000_000;

/** Takes values apart by their writers' schemas. */
export function createInspector(options: RegistryOptions): ValueInspector {
  const schemas = new WriterSchemas(new Registry(options), ownSchemaText());
  return {
    async inspect(record) {
      const { value } = record;
      if (value === null)
        return found('none', { error: { position: 0, message: 'the record has no value' } });
      if (value[0] === OPENING_BRACE) return found('json', { error: findJsonError(value) });
      const inHeader = schemaInHeader(record);
      if (inHeader === undefined && value[0] !== MAGIC_BYTE) {
        const message = 'it is neither Avro with a schema id (a first byte 0) nor a JSON object';
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
      const writer = schemas.get(key) ?? { problem: 'the registry does not know it' };
      if ('problem' in writer) {
        const message = `schema ${schemaName(key)}: ${writer.problem}`;
        return found('avro', { ...schema, error: { position: inHeader === undefined ? 1 : 0, message } });
      }
      const cursor = new Cursor(toBuffer(value), inHeader === undefined ? HEADER_BYTES : 0);
      return found('avro', { ...schema, ...walk(cursor, writer.type as unknown as Shape) });
    },
  };
}

function found(format: Inspection['format'], rest: Partial<Inspection>): Inspection {
  return { format, schemaId: null, schemaGuid: null, fields: [], isCut: false, error: null, ...rest };
}

function walk(cursor: Cursor, type: Shape): Pick<Inspection, 'fields' | 'isCut' | 'error'> {
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

/** Reads a value field by field and writes down what it finds. */
class Walker {
  readonly cursor: Cursor;
  readonly fields: InspectedField[] = [];
  isCut = false;
  #steps = 0;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  value(type: Shape, path: string): void {
    const { cursor } = this;
    this.#steps += 1;
    if (this.#steps > MAX_STEPS) cursor.fail('the value has more parts than can be looked at');
    cursor.nested(() => {
      if (isUnion(type)) this.value(this.#choice('branch', type.types), path);
      else if (isRecord(type)) {
        for (const field of type.fields)
          this.value(field.type, path === '' ? field.name : `${path}.${field.name}`);
      } else if (type.typeName === 'array') this.#array(type, path);
      else if (type.typeName === 'map') this.#map(type, path);
      else this.#scalar(type, path);
    });
  }

  #array(type: Shape, path: string): void {
    const { position } = this.cursor;
    let count = 0;
    this.cursor.blocks(takesNothing(type.itemsType), () => {
      this.value(type.itemsType, `${path}[${count}]`);
      count += 1;
    });
    if (count === 0) this.#note(path, 'array', '[]', position);
  }

  #map(type: Shape, path: string): void {
    const { position } = this.cursor;
    let count = 0;
    this.cursor.blocks(false, () => {
      const key = JSON.stringify(this.cursor.string().slice(0, 60));
      this.value(type.valuesType, `${path}[${key}]`);
      count += 1;
    });
    if (count === 0) this.#note(path, 'map', '{}', position);
  }

  #scalar(type: Shape, path: string): void {
    const { position } = this.cursor;
    const value = this.#read(type);
    const name = isLogical(type) ? type.underlyingType.typeName : type.typeName;
    const text =
      typeof value === 'string'
        ? JSON.stringify(value.slice(0, MAX_VALUE_CHARACTERS))
        : Buffer.isBuffer(value)
          ? this.#bytes(type, value)
          : String(value);
    this.#note(path, type instanceof DecimalType ? 'decimal' : name, text, position);
  }

  #bytes(type: Shape, value: Buffer): string {
    if (type instanceof DecimalType) return decimalText(value, type.scale);
    const hex = value.subarray(0, MAX_VALUE_CHARACTERS / 2).toString('hex');
    return `0x${hex}${value.length > MAX_VALUE_CHARACTERS / 2 ? '…' : ''}`;
  }

  #read(type: Shape): string | number | bigint | boolean | null | Buffer {
    const { cursor } = this;
    if (isLogical(type)) return this.#read(type.underlyingType);
    switch (type.typeName) {
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
      case 'fixed':
        return cursor.fixed(type.size);
      case 'enum':
        return this.#choice('symbol', type.symbols);
      default:
        return cursor.bytes();
    }
  }

  #choice<T>(what: string, from: readonly T[]): T {
    const index = this.cursor.long();
    const chosen = typeof index === 'number' ? from[index] : undefined;
    return chosen ?? this.cursor.fail(`there is no ${what} ${index}`);
  }

  #note(path: string, type: string, value: string, position: number): void {
    if (this.fields.length < MAX_FIELDS) this.fields.push({ path, type, value, position });
    else this.isCut = true;
  }
}

/** Whether values take no bytes at all. One that is met again is taken to: the cursor bounds them either way. */
function takesNothing(type: Shape, seen = new Set<Shape>()): boolean {
  if (seen.has(type)) return true;
  seen.add(type);
  if (isLogical(type)) return takesNothing(type.underlyingType, seen);
  if (isRecord(type)) return type.fields.every((field) => takesNothing(field.type, seen));
  return type.typeName === 'null' || (type.typeName === 'fixed' && type.size === 0);
}
