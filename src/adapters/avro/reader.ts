import type { Cursor } from './cursor.ts';
import type { Field, Meaning, RecordSchema, Schema } from './schema.ts';

/*
 * Reads a value as its writer's schema lays it out. Avro libraries trust the bytes: five that claim a large array
 * exhaust the heap. They also resolve schemas as the specification has it, which compares the names of records: here
 * only fields count, and the value is taken by them.
 */

export type Read = (cursor: Cursor) => unknown;
type Skip = Read;

const LINE_FIELDS = new Set(['item', 'product_id', 'quantity', 'unit_price']);
/** A flat order has the fields of its one line. */
const ORDER_FIELDS = new Set(['order_id', 'user', 'customer_id', 'items', 'created_at', ...LINE_FIELDS]);
/** What is text in the event schema: bytes are promoted to it. A price is not, so that no bytes are taken for an amount. */
const TEXT_FIELDS = new Set(['order_id', 'user', 'customer_id', 'item', 'product_id', 'created_at']);

/**
 * @returns a reader of values that were written with `schema`. Of records it keeps the fields that an order and its
 * lines can have, by name; everything else is read past without being built, so that the memory which a value takes
 * is bounded by what an order is and not by what a schema can think of.
 */
export function compileReader(schema: Schema): Read {
  return new Compiler().order(schema);
}

class Compiler {
  /** Types by identity: a recursive schema refers to one that is being compiled. */
  readonly #skips = new Map<Schema, { skip: Skip }>();
  readonly #widths = new Map<Schema, number>();

  order(type: Schema): Read {
    if (type.type === 'union') return choice('branch', type.branches, (branch) => this.order(branch));
    if (type.type !== 'record') return this.#scalar(type, '');
    return this.#record(type, ORDER_FIELDS, (name, of) =>
      name === 'items' ? this.#lines(of) : this.#scalar(of, name),
    );
  }

  #lines(type: Schema): Read {
    if (type.type === 'union') return choice('branch', type.branches, (branch) => this.#lines(branch));
    if (type.type !== 'array') return this.#scalar(type, 'items');
    const read = this.#line(type.items);
    const free = this.#width(type.items) === 0;
    return (cursor) => {
      const items: unknown[] = [];
      cursor.blocks(free, () => items.push(read(cursor)));
      return items;
    };
  }

  #line(type: Schema): Read {
    if (type.type === 'union') return choice('branch', type.branches, (branch) => this.#line(branch));
    if (type.type !== 'record') return this.#scalar(type, '');
    return this.#record(type, LINE_FIELDS, (name, of) => this.#scalar(of, name));
  }

  #record(
    { fields }: RecordSchema,
    wanted: ReadonlySet<string>,
    compile: (name: string, of: Schema) => Read,
  ): Read {
    const steps: { name: string | null; read: Read }[] = [];
    for (const field of fields) {
      const name = wantedName(field, wanted, fields);
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
  #scalar(type: Schema, field: string): Read {
    switch (type.type) {
      case 'union':
        return choice('branch', type.branches, (branch) => this.#scalar(branch, field));
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
        if (type.meaning?.kind === 'decimal') return decimal(read, type.meaning.scale, field);
        return type.type === 'bytes' && TEXT_FIELDS.has(field) ? (cursor) => cursor.string() : read;
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
    if (this.#width(type) === Infinity)
      return (cursor) => cursor.fail('a record that holds itself never ends');
    switch (type.type) {
      case 'union':
        return choice('branch', type.branches, (branch) => this.#skip(branch));
      case 'array':
      case 'map':
        return this.#skipBlocks(type.items, type.type === 'map');
      case 'record': {
        // A field that takes no bytes is not even looked at: such records can double at each level.
        const fields = type.fields.filter((field) => this.#width(field.type) > 0);
        const skips = fields.map((field) => this.#skip(field.type));
        return (cursor) =>
          cursor.nested(() => {
            for (const skip of skips) skip(cursor);
          });
      }
      case 'string':
      case 'bytes':
        return (cursor) => cursor.pass();
      case 'fixed':
        return fixed(type.size);
      case 'null':
      case 'boolean':
      case 'int':
      case 'long':
      case 'float':
      case 'double':
      case 'enum':
        return this.#scalar(type, '');
    }
  }

  #skipBlocks(type: Schema, keyed: boolean): Skip {
    const skip = this.#skip(type);
    const free = !keyed && this.#width(type) === 0;
    return (cursor) =>
      cursor.nested(() => {
        cursor.blocks(free, () => {
          if (keyed) cursor.pass();
          skip(cursor);
        });
      });
  }

  /** The fewest bytes that a value takes; Infinity for a record that no value can be of. */
  #width(type: Schema): number {
    const known = this.#widths.get(type);
    if (known !== undefined) return known;
    // Met again before it is known, a record holds itself without a way out.
    this.#widths.set(type, Infinity);
    const width = this.#computeWidth(type);
    this.#widths.set(type, width);
    return width;
  }

  #computeWidth(type: Schema): number {
    if (type.type === 'null') return 0;
    if (type.type === 'fixed') return type.size;
    if (type.type !== 'record') return 1;
    return type.fields.reduce((sum, field) => sum + this.#width(field.type), 0);
  }
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
function choice<T>(what: string, from: readonly T[], compile: (of: T) => Read): Read {
  const reads = from.map(compile);
  return (cursor) => {
    const index = cursor.long();
    const read = typeof index === 'number' ? reads[index] : undefined;
    return read === undefined ? cursor.fail(`there is no ${what} ${index}`) : read(cursor);
  };
}

function fixed(sizeBytes: number): (cursor: Cursor) => Buffer {
  return (cursor) => cursor.fixed(sizeBytes);
}

function decimal(read: (cursor: Cursor) => Buffer, scale: number, field: string): Read {
  if (field === 'quantity') return (cursor) => Number(decimalText(read(cursor), scale));
  return (cursor) => decimalText(read(cursor), scale);
}

/** Two's complement of so many bytes has more digits than any amount. */
const MAX_DECIMAL_BYTES = 512;

/** @param bytes big-endian two's complement of the amount times 10^scale */
export function decimalText(bytes: Buffer, scale: number): string {
  if (bytes.length > MAX_DECIMAL_BYTES) return 'a number beyond any amount';
  const unsigned = BigInt(bytes.length === 0 ? 0 : `0x${bytes.toString('hex')}`);
  const unscaled = BigInt.asIntN(bytes.length * 8, unsigned);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  // Zeros beyond the second place say nothing: 12.5000 is 12.50.
  const fraction = digits.slice(digits.length - scale).replace(/(?<=^..)0+$/, '');
  return `${unscaled < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function int(cursor: Cursor): number {
  return cursor.int();
}

/** Beyond 2^53 no longer exact as a number, but still one: whether it can be a quantity is decided later. */
function long(cursor: Cursor): number | bigint {
  return cursor.long();
}

const DAY_MS = 86_400_000;

/** @returns a reader of milliseconds since the epoch; of a text where it is no moment */
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
        return 'a time of no day';
      };
  }
}
