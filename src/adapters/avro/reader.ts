import avro from 'avsc';
import type { Cursor } from './cursor.ts';

/*
 * Reads a value as its writer's schema lays it out. avsc parses the schema; it does not read the bytes, because its
 * decoder trusts them: five bytes that claim a large array exhaust the heap. Nor are schemas resolved as in the
 * Avro specification, which compares the names of records: only fields count here, and the value is taken by them.
 */

export type Read = (cursor: Cursor) => unknown;
type Skip = Read;

interface Field {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: Shape;
}

/** A parsed type as avsc documents it; which members there are depends on `typeName`. */
export interface Shape {
  readonly typeName: string;
  readonly underlyingType: Shape;
  readonly fields: readonly Field[];
  readonly itemsType: Shape;
  readonly valuesType: Shape;
  readonly types: readonly Shape[];
  readonly symbols: readonly string[];
  readonly size: number;
}

/** Reads to a decimal string: unscaled two's complement, big-endian. */
export class DecimalType extends avro.types.LogicalType {
  readonly scale: number;

  constructor(schema: avro.Schema, options?: object) {
    super(schema, options);
    const { scale = 0 } = schema as { scale?: number };
    if (!Number.isInteger(scale) || scale < 0 || scale > 100) throw new Error('scale is no small number');
    this.scale = scale;
  }

  /** What avsc asks for when a schema is written out. */
  protected override _export(attributes: avro.Schema): void {
    Object.assign(attributes, { scale: this.scale });
  }
}

/** A time in finer units than milliseconds. */
class FineTimestampType extends avro.types.LogicalType {
  readonly unitsPerMs: number;

  constructor(schema: avro.Schema, options?: object) {
    super(schema, options);
    this.unitsPerMs =
      (schema as { logicalType?: string }).logicalType === 'timestamp-nanos' ? 1_000_000 : 1_000;
  }
}

const LOGICAL_TYPES = {
  decimal: DecimalType,
  'timestamp-micros': FineTimestampType,
  'timestamp-nanos': FineTimestampType,
} as unknown as Record<string, new () => avro.types.LogicalType>;

/** A writer's defaults are for readers of older values, and avsc is stricter about them than others. */
function parseJson(schema: string): avro.Schema {
  return JSON.parse(schema, (key, value: unknown) => (key === 'default' ? undefined : value)) as avro.Schema;
}

/**
 * @param references schemas that `schema` refers to, each after those that it refers to itself
 * @throws Error when a text is no Avro schema
 */
export function parseSchema(schema: string, references: readonly string[]): avro.Type {
  // Without a prototype: names in a schema are anybody's.
  const registry = Object.create(null) as Record<string, avro.Type>;
  const options = { registry, logicalTypes: LOGICAL_TYPES };
  for (const reference of references) avro.Type.forSchema(parseJson(reference), options);
  return avro.Type.forSchema(parseJson(schema), options);
}

const LINE_FIELDS = new Set(['item', 'product_id', 'quantity', 'unit_price']);
/** A flat order has the fields of its one line. */
const ORDER_FIELDS = new Set(['order_id', 'user', 'customer_id', 'items', 'created_at', ...LINE_FIELDS]);

/**
 * @returns a reader of values that were written with `type`. Of records it keeps the fields that an order and its
 * lines can have, by name; everything else is read past without being built, so that the memory which a value takes
 * is bounded by what an order is and not by what a schema can think of.
 */
export function compileReader(type: avro.Type): Read {
  return new Compiler().order(type as unknown as Shape);
}

class Compiler {
  /** Types by identity: a recursive schema refers to one that is being compiled. */
  readonly #skips = new Map<Shape, { skip: Skip }>();
  readonly #widths = new Map<Shape, number>();

  order(type: Shape): Read {
    if (isUnion(type)) return this.#union(type, (branch) => this.order(branch));
    if (!isRecord(type)) return this.#scalar(type);
    return this.#record(type, ORDER_FIELDS, (name, of) =>
      name === 'items' ? this.#lines(of) : this.#scalar(of),
    );
  }

  #lines(type: Shape): Read {
    if (isUnion(type)) return this.#union(type, (branch) => this.#lines(branch));
    if (type.typeName !== 'array') return this.#scalar(type);
    const read = this.#line(type.itemsType);
    const free = this.#width(type.itemsType) === 0;
    return (cursor) => {
      const items: unknown[] = [];
      cursor.blocks(free, () => items.push(read(cursor)));
      return items;
    };
  }

  #line(type: Shape): Read {
    if (isUnion(type)) return this.#union(type, (branch) => this.#line(branch));
    if (!isRecord(type)) return this.#scalar(type);
    return this.#record(type, LINE_FIELDS, (_name, of) => this.#scalar(of));
  }

  #union(type: Shape, compile: (branch: Shape) => Read): Read {
    const branches = type.types.map(compile);
    return choice('branch', branches, (read, cursor) => read(cursor));
  }

  #record(type: Shape, wanted: ReadonlySet<string>, compile: (name: string, of: Shape) => Read): Read {
    const steps: { name: string | null; read: Read }[] = [];
    for (const field of type.fields) {
      const name = wantedName(field, wanted, type.fields);
      if (name !== null) steps.push({ name, read: compile(name, field.type) });
      else if (this.#width(field.type) > 0) steps.push({ name, read: this.#skip(field.type) });
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

  /** What stands where a text, a number or a time belongs; of anything else only its kind is told. */
  #scalar(type: Shape): Read {
    if (type instanceof DecimalType) return decimal(this.#scalar(type.underlyingType), type.scale);
    if (type instanceof FineTimestampType) {
      const exact = type.underlyingType.typeName === 'long';
      return fineTime(exact ? (cursor) => cursor.long() : this.#scalar(type.underlyingType), type.unitsPerMs);
    }
    if (isUnion(type)) return this.#union(type, (branch) => this.#scalar(branch));
    switch (type.typeName) {
      case 'null':
        return () => null;
      case 'boolean':
        return (cursor) => cursor.boolean();
      case 'int':
        return (cursor) => cursor.int();
      case 'long':
        // Beyond 2^53 it is not exact, but still a number: whether it can be a quantity is decided later.
        return (cursor) => Number(cursor.long());
      case 'float':
        return (cursor) => cursor.float();
      case 'double':
        return (cursor) => cursor.double();
      case 'bytes':
        return (cursor) => cursor.bytes();
      case 'string':
        return (cursor) => cursor.string();
      case 'fixed':
        return (cursor) => cursor.fixed(type.size);
      case 'enum':
        return choice('symbol', type.symbols, (symbol) => symbol);
      default: {
        const skip = this.#skip(type);
        const kind = type.typeName === 'array' ? [] : {};
        return (cursor) => {
          skip(cursor);
          return kind;
        };
      }
    }
  }

  #skip(type: Shape): Skip {
    const known = this.#skips.get(type);
    if (known !== undefined) return (cursor) => known.skip(cursor);
    const slot: { skip: Skip } = { skip: unfinished };
    this.#skips.set(type, slot);
    slot.skip = this.#compileSkip(type);
    return slot.skip;
  }

  #compileSkip(type: Shape): Skip {
    if (this.#width(type) === Infinity)
      return (cursor) => cursor.fail('a record that holds itself never ends');
    if (isLogical(type)) return this.#skip(type.underlyingType);
    if (isUnion(type)) {
      const branches = type.types.map((branch) => this.#skip(branch));
      return choice('branch', branches, (skip, cursor) => skip(cursor));
    }
    switch (type.typeName) {
      case 'array':
        return this.#skipBlocks(type.itemsType, false);
      case 'map':
        return this.#skipBlocks(type.valuesType, true);
      case 'record':
      case 'error': {
        // A field that takes no bytes is not even looked at: such records can double at each level.
        const fields = type.fields.filter((field) => this.#width(field.type) > 0);
        const skips = fields.map((field) => this.#skip(field.type));
        return (cursor) =>
          cursor.nested(() => {
            for (const skip of skips) skip(cursor);
          });
      }
      case 'string':
        return (cursor) => cursor.bytes();
      default:
        return this.#scalar(type);
    }
  }

  #skipBlocks(type: Shape, keyed: boolean): Skip {
    const skip = this.#skip(type);
    const free = !keyed && this.#width(type) === 0;
    return (cursor) =>
      cursor.nested(() => {
        cursor.blocks(free, () => {
          if (keyed) cursor.bytes();
          skip(cursor);
        });
      });
  }

  /** The fewest bytes that a value takes; Infinity for a record that no value can be of. */
  #width(type: Shape): number {
    const known = this.#widths.get(type);
    if (known !== undefined) return known;
    // Met again before it is known, a record holds itself without a way out.
    this.#widths.set(type, Infinity);
    const width = this.#computeWidth(type);
    this.#widths.set(type, width);
    return width;
  }

  #computeWidth(type: Shape): number {
    if (isLogical(type)) return this.#width(type.underlyingType);
    if (type.typeName === 'null') return 0;
    if (type.typeName === 'fixed') return type.size;
    if (!isRecord(type)) return 1;
    return type.fields.reduce((sum, field) => sum + this.#width(field.type), 0);
  }
}

export function isUnion(type: Shape): boolean {
  return type.typeName.startsWith('union');
}

export function isRecord(type: Shape): boolean {
  return type.typeName === 'record' || type.typeName === 'error';
}

export function isLogical(type: Shape): boolean {
  return type instanceof avro.types.LogicalType;
}

/** A writer's own aliases count where the name itself says nothing. */
function wantedName(field: Field, wanted: ReadonlySet<string>, fields: readonly Field[]): string | null {
  if (wanted.has(field.name)) return field.name;
  const alias = field.aliases.find((name) => wanted.has(name));
  return alias === undefined || fields.some(({ name }) => name === alias) ? null : alias;
}

function unfinished(): never {
  throw new Error('a schema was read before it was compiled');
}

/** An index into a closed list: symbols of an enum, branches of a union. */
function choice<T>(what: string, from: readonly T[], then: (chosen: T, cursor: Cursor) => unknown): Read {
  return (cursor) => {
    const index = cursor.long();
    const chosen = typeof index === 'number' ? from[index] : undefined;
    if (chosen === undefined) return cursor.fail(`there is no ${what} ${index}`);
    return then(chosen, cursor);
  };
}

function decimal(read: Read, scale: number): Read {
  return (cursor) => {
    const bytes = read(cursor);
    return Buffer.isBuffer(bytes) ? decimalText(bytes, scale) : bytes;
  };
}

/** @param bytes big-endian two's complement of the amount times 10^scale */
export function decimalText(bytes: Buffer, scale: number): string {
  // No price takes more; a number of a million digits is not worth writing out.
  if (bytes.length > 16) return 'a number beyond any price';
  const unsigned = BigInt(bytes.length === 0 ? 0 : `0x${bytes.toString('hex')}`);
  const unscaled = BigInt.asIntN(bytes.length * 8, unsigned);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  // Zeros beyond the second place say nothing: 12.5000 is 12.50.
  const fraction = digits.slice(digits.length - scale).replace(/(?<=^..)0+$/, '');
  return `${unscaled < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function fineTime(read: Read, unitsPerMs: number): Read {
  return (cursor) => {
    const value = read(cursor);
    if (typeof value === 'bigint') return Number(value / BigInt(unitsPerMs));
    return typeof value === 'number' ? Math.floor(value / unitsPerMs) : value;
  };
}
