import { DAY_MS } from '../../domain/iso-time.ts';
import type { Cursor } from './cursor.ts';
import { Widths, type Field, type Meaning, type RecordSchema, type Schema } from './schema.ts';

/*
 * Reads a value by its writer's schema. Avro libraries trust the bytes: five that claim a large array exhaust the
 * heap. They also resolve schemas by the specification, which compares record names; here only fields count.
 */

export type Read = (cursor: Cursor) => unknown;
type Skip = Read;

/** What to keep of a value. Everything else is skipped, so that memory is bounded for any schema. */
export type Shape =
  /** Text; bytes are promoted to it. */
  | 'text'
  /** A number; a decimal is converted to it. */
  | 'number'
  /** As written: bytes must not be taken for an amount of money. */
  | 'plain'
  | { readonly list: Shape }
  | { readonly fields: ReadonlyMap<string, Shape> };

type Scalar = Extract<Shape, string>;

/** @returns a reader for values written with `schema` that keeps the fields in `shape`, under the names there */
export function compileReader(schema: Schema, shape: Shape): Read {
  return new Compiler().value(schema, shape);
}

class Compiler {
  /** By identity: a recursive schema refers to a type being compiled. */
  readonly #skips = new Map<Schema, { skip: Skip }>();
  readonly #widths = new Widths();

  value(type: Schema, shape: Shape): Read {
    if (type.type === 'union') return choice('branch', type.branches, (branch) => this.value(branch, shape));
    if (typeof shape === 'string') return this.#scalar(type, shape);
    if ('fields' in shape && type.type === 'record') return this.#record(type, shape.fields);
    if ('list' in shape && type.type === 'array') return this.#list(type.items, shape.list);
    return this.#scalar(type, 'plain');
  }

  #list(type: Schema, shape: Shape): Read {
    const read = this.value(type, shape);
    const free = this.#widths.of(type) === 0;
    return (cursor) => {
      const items: unknown[] = [];
      cursor.blocks(free, () => items.push(read(cursor)));
      return items;
    };
  }

  #record({ fields }: RecordSchema, wanted: ReadonlyMap<string, Shape>): Read {
    const steps: { name: string | null; read: Read }[] = [];
    for (const field of fields) {
      const name = wantedName(field, wanted, fields);
      const shape = name === null ? undefined : wanted.get(name);
      if (shape !== undefined) steps.push({ name, read: this.value(field.type, shape) });
      else if (this.#widths.of(field.type) > 0) steps.push({ name, read: this.#skip(field.type) });
    }
    return (cursor) => {
      const value: Record<string, unknown> = {};
      for (const { name, read } of steps) {
        if (name === null) read(cursor);
        else value[name] = read(cursor);
      }
      return value;
    };
  }

  /** Reads where a text, a number or a time is expected; anything else becomes an empty value of its kind. */
  #scalar(type: Schema, shape: Scalar): Read {
    switch (type.type) {
      case 'union':
        return choice('branch', type.branches, (branch) => this.#scalar(branch, shape));
      case 'null':
        return () => null;
      case 'boolean':
        return (cursor) => cursor.boolean();
      case 'int':
      case 'long': {
        const read = type.type === 'int' ? int : long;
        return type.meaning === null ? (cursor) => Number(read(cursor)) : time(read, type.meaning);
      }
      case 'float':
        return (cursor) => cursor.float();
      case 'double':
        return (cursor) => cursor.double();
      case 'string':
        return (cursor) => cursor.string();
      case 'bytes':
      case 'fixed': {
        const read = type.type === 'fixed' ? fixed(type.size) : (cursor: Cursor) => cursor.bytes();
        if (type.meaning?.kind === 'decimal') return decimal(read, type.meaning.scale, shape);
        return type.type === 'bytes' && shape === 'text' ? (cursor) => cursor.string() : read;
      }
      case 'enum':
        return choice('symbol', type.symbols, (symbol) => () => symbol);
      case 'array':
      case 'map':
      case 'record': {
        const skip = this.#skip(type);
        const kind = type.type === 'array' ? [] : {};
        return (cursor) => {
          skip(cursor);
          return kind;
        };
      }
    }
  }

  #skip(type: Schema): Skip {
    const known = this.#skips.get(type);
    if (known !== undefined) return (cursor) => known.skip(cursor);
    const slot: { skip: Skip } = { skip: unfinished };
    this.#skips.set(type, slot);
    slot.skip = this.#compileSkip(type);
    return slot.skip;
  }

  #compileSkip(type: Schema): Skip {
    if (this.#widths.of(type) === Infinity)
      return (cursor) => cursor.fail('a record that contains itself never ends');
    switch (type.type) {
      case 'union':
        return choice('branch', type.branches, (branch) => this.#skip(branch));
      case 'array':
      case 'map':
        return this.#skipBlocks(type.items, type.type === 'map');
      case 'record': {
        // Fields that take no bytes are left out: such records can double at each level.
        const fields = type.fields.filter((field) => this.#widths.of(field.type) > 0);
        const skips = fields.map((field) => this.#skip(field.type));
        return (cursor) =>
          cursor.nested(() => {
            for (const skip of skips) skip(cursor);
          });
      }
      case 'string':
      case 'bytes':
        return (cursor) => cursor.skip();
      case 'fixed':
        return fixed(type.size);
      case 'null':
      case 'boolean':
      case 'int':
      case 'long':
      case 'float':
      case 'double':
      case 'enum':
        return this.#scalar(type, 'plain');
    }
  }

  #skipBlocks(type: Schema, keyed: boolean): Skip {
    const skip = this.#skip(type);
    const free = !keyed && this.#widths.of(type) === 0;
    return (cursor) =>
      cursor.nested(() => {
        cursor.blocks(free, () => {
          if (keyed) cursor.skip();
          skip(cursor);
        });
      });
  }
}

/** A writer's alias counts only where no field has that name. */
function wantedName(
  field: Field,
  wanted: ReadonlyMap<string, Shape>,
  fields: readonly Field[],
): string | null {
  if (wanted.has(field.name)) return field.name;
  const alias = field.aliases.find((name) => wanted.has(name));
  return alias === undefined || fields.some(({ name }) => name === alias) ? null : alias;
}

function unfinished(): never {
  throw new Error('a schema was read before it was compiled');
}

/** Reads an index, then the value of the type at that index. */
function choice<T>(what: string, from: readonly T[], compile: (of: T) => Read): Read {
  const reads = from.map(compile);
  return (cursor) => cursor.choose(what, reads)(cursor);
}

function fixed(sizeBytes: number): (cursor: Cursor) => Buffer {
  return (cursor) => cursor.fixed(sizeBytes);
}

function decimal(read: (cursor: Cursor) => Buffer, scale: number, shape: Scalar): Read {
  if (shape === 'number') return (cursor) => Number(decimalText(read(cursor), scale));
  return (cursor) => decimalText(read(cursor), scale);
}

/** More digits than any amount has. */
const MAX_DECIMAL_BYTES = 512;

/** @param bytes big-endian two's complement of the amount times 10^scale */
export function decimalText(bytes: Buffer, scale: number): string {
  if (bytes.length > MAX_DECIMAL_BYTES) return 'a number too long for an amount';
  const unsigned = BigInt(bytes.length === 0 ? 0 : `0x${bytes.toString('hex')}`);
  const unscaled = BigInt.asIntN(bytes.length * 8, unsigned);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  // Zeros beyond the second place mean nothing: 12.5000 is 12.50.
  const fraction = digits.slice(digits.length - scale).replace(/(?<=^..)0+$/, '');
  return `${unscaled < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function int(cursor: Cursor): number {
  return cursor.int();
}

/** Beyond 2^53 a bigint; whether it can be a quantity is checked later. */
function long(cursor: Cursor): number | bigint {
  return cursor.long();
}

/** @returns a reader of milliseconds since the epoch, or of a text when the value is not a moment */
function time(read: (cursor: Cursor) => number | bigint, meaning: Meaning): Read {
  switch (meaning.kind) {
    case 'day':
      return (cursor) => Number(read(cursor)) * DAY_MS;
    case 'moment': {
      const { perMs } = meaning;
      return (cursor) => {
        const value = read(cursor);
        return typeof value === 'bigint' ? Number(value / BigInt(perMs)) : Math.floor(value / perMs);
      };
    }
    case 'decimal':
    case 'time_of_day':
      return (cursor) => {
        read(cursor);
        return 'a time without a date';
      };
  }
}
