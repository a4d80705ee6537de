import type { BrokerRecord, Slice } from '../../ports/broker.ts';
import type { DeadLetterCode, Decoded } from '../../ports/codec.ts';
import { BadBytes, Cursor } from './cursor.ts';
import { compileReader, type Read, type Shape } from './reader.ts';
import type { Registry } from './registry/registry.ts';
import type { Schema } from './schema.ts';
import {
  HEADER_BYTES,
  MAGIC_BYTE,
  OPENING_BRACE,
  schemaIdOf,
  schemaInHeader,
  schemaName,
  toBuffer,
  type SchemaKey,
} from './wire-format.ts';
import { WriterSchemas, type Writer } from './writer-schemas.ts';

/** Reads the value from `from` to `to`. Returns undefined for unusual bytes, which the general reader then reads. */
export type FastReader<T> = (bytes: Buffer, from: number, to: number) => T | undefined;

/** How to build values of one message type from what was read. */
export interface Reading<T> {
  readonly shape: Shape;
  /** Builds the value from its fields. Does not throw. */
  parse(fields: unknown, record: BrokerRecord): Decoded<T>;
  /** A faster reader for values of this schema, if there is one. */
  fast?(schema: Schema): FastReader<T> | undefined;
}

interface Compiled<T> {
  readonly read: Read;
  readonly fast: FastReader<T> | undefined;
}

/** Even a message of a hundred thousand lines is smaller. Decoded, JSON or Avro takes a small multiple of it. */
const MAX_VALUE_BYTES = 4 * 1024 * 1024;

/** Decodes values that are Avro in the Confluent wire format, or JSON. */
export class Decoder<T> {
  readonly #schemas: WriterSchemas<Compiled<T>>;
  readonly #reading: Reading<T>;

  constructor(registry: Registry, reading: Reading<T>) {
    this.#reading = reading;
    this.#schemas = new WriterSchemas(registry, (schema) => ({
      read: compileReader(schema, reading.shape),
      fast: reading.fast?.(schema),
    }));
  }

  /** See Codec.decode. */
  async decode(records: readonly BrokerRecord[]): Promise<readonly Decoded<T>[]> {
    await this.#schemas.load(schemasOf(records));
    return records.map((record) => this.#record(record));
  }

  #record(record: BrokerRecord): Decoded<T> {
    const slice = sliceOf(record);
    if (slice === null) return bad('no_value', 'the record has no value');
    const { bytes, from, to } = slice;
    const sizeBytes = to - from;
    if (sizeBytes > MAX_VALUE_BYTES) {
      return bad('too_large', `the value has ${sizeBytes} bytes; at most ${MAX_VALUE_BYTES} are read`);
    }
    const first = sizeBytes === 0 ? undefined : bytes[from];
    if (first === OPENING_BRACE) return this.#json(toBuffer(bytes.subarray(from, to)), record);
    const inHeader = schemaInHeader(record);
    const key = inHeader ?? schemaInPrefix(slice);
    if (key === undefined) {
      if (first === MAGIC_BYTE)
        return bad('undecodable', `byte ${sizeBytes}: the value ends before its schema id`);
      return bad(
        'unknown_format',
        `the value ${beginning(first)}: it is neither Avro with a schema id nor JSON`,
      );
    }
    const writer = this.#schemas.get(key);
    if (writer === undefined)
      return bad('unknown_schema_id', `the registry has no schema ${schemaName(key)}`);
    const payloadAt = inHeader === undefined ? HEADER_BYTES : 0;
    if (writer.kind === 'avro' && writer.compiled.fast !== undefined) {
      const value = writer.compiled.fast(toBuffer(bytes), from + payloadAt, to);
      if (value !== undefined) return { kind: 'message', value };
    }
    return this.#framed(toBuffer(bytes.subarray(from, to)), payloadAt, writer, key, record);
  }

  /** Decodes a value whose schema is identified by its prefix or a header. */
  #framed(
    value: Buffer,
    payloadAt: number,
    writer: Writer<Compiled<T>>,
    key: SchemaKey,
    record: BrokerRecord,
  ): Decoded<T> {
    const payload = value.subarray(payloadAt);
    if (writer.kind === 'json') return this.#json(payload, record, ` (schema ${schemaName(key)})`);
    const decoded =
      writer.kind === 'avro'
        ? this.#avro(new Cursor(value, payloadAt), writer.compiled.read, key, record)
        : bad('undecodable', `schema ${schemaName(key)}: ${writer.problem}`);
    const isAvro = decoded.kind === 'message' || decoded.code !== 'undecodable';
    if (isAvro || payload[0] !== OPENING_BRACE) return decoded;
    // JSON serializers use the same prefix, and some registries do not return a schema's type.
    const json = this.#json(payload, record);
    return json.kind === 'dead_letter' && json.code === 'undecodable' ? decoded : json;
  }

  /** @param where appended to messages */
  #json(value: Buffer, record: BrokerRecord, where = ''): Decoded<T> {
    let fields: unknown;
    try {
      fields = JSON.parse(value.toString('utf8'));
    } catch (error) {
      // The parser's message quotes the text, which may be long.
      const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
      return bad(
        'undecodable',
        `the value is not valid JSON${position === undefined ? '' : ` at character ${position}`}${where}`,
      );
    }
    return this.#reading.parse(fields, record);
  }

  #avro(cursor: Cursor, read: Read, key: SchemaKey, record: BrokerRecord): Decoded<T> {
    try {
      const fields = read(cursor);
      if (cursor.left > 0) cursor.fail(`${cursor.left} bytes follow the value`);
      return this.#reading.parse(fields, record);
    } catch (error) {
      if (!(error instanceof BadBytes)) throw error;
      return bad('undecodable', `byte ${error.position}: ${error.message} (schema ${schemaName(key)})`);
    }
  }
}

/** @returns null when the record has no value */
function sliceOf(record: BrokerRecord): Slice | null {
  if (record.valueSlice !== undefined) return record.valueSlice;
  // Read once: the getter may build it on each call.
  const { value } = record;
  return value === null ? null : { bytes: value, from: 0, to: value.length };
}

function schemasOf(records: readonly BrokerRecord[]): Set<SchemaKey> {
  const keys = new Set<SchemaKey>();
  let last: SchemaKey | undefined;
  for (const record of records) {
    const slice = sliceOf(record);
    if (slice === null || slice.bytes[slice.from] === OPENING_BRACE) continue;
    const key = schemaInHeader(record) ?? schemaInPrefix(slice);
    if (key !== undefined && key !== last) keys.add(key);
    last = key;
  }
  return keys;
}

function schemaInPrefix({ bytes, from, to }: Slice): number | undefined {
  return to - from >= HEADER_BYTES && bytes[from] === MAGIC_BYTE ? schemaIdOf(bytes, from) : undefined;
}

function bad(code: DeadLetterCode, message: string): Extract<Decoded<never>, { kind: 'dead_letter' }> {
  return { kind: 'dead_letter', code, stage: 'decode', message };
}

function beginning(first: number | undefined): string {
  if (first === undefined) return 'is empty';
  const isPrintable = first > 0x20 && first < 0x7f;
  return isPrintable
    ? `starts with "${String.fromCharCode(first)}" (byte ${first})`
    : `starts with byte ${first}`;
}
