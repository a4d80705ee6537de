import { Failure } from '../../domain/failure.ts';
import { recordTime } from '../../domain/orders/order.ts';
import { parseOrder } from '../../domain/orders/parse-order.ts';
import type { BrokerRecord, Slice } from '../../ports/broker.ts';
import type { DeadLetterCode, DecodedRecord, OrderCodec } from '../../ports/codec.ts';
import { BadBytes, Cursor } from './cursor.ts';
import { writeOrders } from './order-writer.ts';
import { readOwnLayout } from './own-layout.ts';
import { Registry } from './registry.ts';
import {
  HEADER_BYTES,
  MAGIC_BYTE,
  OPENING_BRACE,
  ownSchemaText,
  schemaIdOf,
  schemaInHeader,
  schemaName,
  toBuffer,
  type SchemaKey,
} from './wire-format.ts';
import { WriterSchemas, type Writer } from './writer-schemas.ts';

export interface AvroCodecOptions {
  readonly registryUrl: string;
  readonly credentials: { readonly username: string; readonly password: string } | null;
  /** Subject of our schema: `orders-value`. */
  readonly subject: string;
  /** Whether to register our schema when the subject lacks it. */
  readonly register: boolean;
}

/** An order of a hundred thousand lines is smaller; decoded, JSON or Avro takes a small multiple of it. */
const MAX_VALUE_BYTES = 4 * 1024 * 1024;

/** Orders as Avro in the Confluent wire format, and as JSON. */
export function createAvroCodec(options: AvroCodecOptions): OrderCodec {
  const registry = new Registry({ url: options.registryUrl, credentials: options.credentials });
  const schemas = new WriterSchemas(registry, ownSchemaText());
  let schemaId: Promise<number> | undefined;
  return {
    async decode(records) {
      await schemas.load(schemasOf(records));
      return records.map((record) => decodeRecord(record, schemas));
    },
    async encode(orders) {
      schemaId ??= findSchemaId(registry, options);
      try {
        return writeOrders(orders, await schemaId);
      } catch (error) {
        schemaId = undefined;
        throw error;
      }
    },
  };
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

function decodeRecord(record: BrokerRecord, schemas: WriterSchemas): DecodedRecord {
  const slice = sliceOf(record);
  if (slice === null) return bad('no_value', 'the record has no value');
  const { bytes, from, to } = slice;
  const sizeBytes = to - from;
  if (sizeBytes > MAX_VALUE_BYTES) {
    return bad('too_large', `the value has ${sizeBytes} bytes; at most ${MAX_VALUE_BYTES} are read`);
  }
  const first = sizeBytes === 0 ? undefined : bytes[from];
  if (first === OPENING_BRACE) return decodeJson(toBuffer(bytes.subarray(from, to)), record);
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
  const writer = schemas.get(key);
  if (writer === undefined)
    return bad('unknown_schema_id', `the registry knows no schema ${schemaName(key)}`);
  const payloadAt = inHeader === undefined ? HEADER_BYTES : 0;
  if (writer.kind === 'avro' && writer.ownLayout) {
    const order = readOwnLayout(toBuffer(bytes), from + payloadAt, to);
    if (order !== undefined) return { kind: 'message', value: order };
  }
  return decodeFramed(toBuffer(bytes.subarray(from, to)), payloadAt, writer, key, record);
}

/** A value whose schema is named by its prefix or a header. */
function decodeFramed(
  value: Buffer,
  payloadAt: number,
  writer: Writer,
  key: SchemaKey,
  record: BrokerRecord,
): DecodedRecord {
  const payload = value.subarray(payloadAt);
  if (writer.kind === 'json') return decodeJson(payload, record, ` (schema ${schemaName(key)})`);
  const decoded =
    writer.kind === 'avro'
      ? decodeAvro(new Cursor(value, payloadAt), writer, key, record)
      : bad('undecodable', `schema ${schemaName(key)}: ${writer.problem}`);
  const isAvro = decoded.kind === 'message' || decoded.code !== 'undecodable';
  if (isAvro || payload[0] !== OPENING_BRACE) return decoded;
  // JSON serializers use the same prefix, and not every registry gives a schema's type.
  const json = decodeJson(payload, record);
  return json.kind === 'dead_letter' && json.code === 'undecodable' ? decoded : json;
}

/** @param where appended to messages */
function decodeJson(value: Buffer, record: BrokerRecord, where = ''): DecodedRecord {
  let fields: unknown;
  try {
    fields = JSON.parse(value.toString('utf8'));
  } catch (error) {
    // The parser's message quotes the text, which may be long.
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    return bad(
      'undecodable',
      `the value is not JSON${position === undefined ? '' : ` from character ${position} on`}${where}`,
    );
  }
  return toDecoded(fields, record);
}

function decodeAvro(
  cursor: Cursor,
  writer: Extract<Writer, { kind: 'avro' }>,
  key: SchemaKey,
  record: BrokerRecord,
): DecodedRecord {
  try {
    const fields = writer.read(cursor);
    if (cursor.left > 0) cursor.fail(`${cursor.left} bytes follow the value`);
    return toDecoded(fields, record);
  } catch (error) {
    if (!(error instanceof BadBytes)) throw error;
    return bad('undecodable', `byte ${error.position}: ${error.message} (schema ${schemaName(key)})`);
  }
}

function toDecoded(fields: unknown, record: BrokerRecord): DecodedRecord {
  const { order, ignored, problem } = parseOrder(fields, { createdAt: recordTime(record.timestamp) ?? NaN });
  if (problem !== undefined) return { kind: 'dead_letter', stage: 'validate', ...problem };
  return ignored === null ? { kind: 'message', value: order } : { kind: 'message', value: order, ignored };
}

function bad(code: DeadLetterCode, message: string): DecodedRecord {
  return { kind: 'dead_letter', code, stage: 'decode', message };
}

async function findSchemaId(registry: Registry, options: AvroCodecOptions): Promise<number> {
  const { subject } = options;
  const schema = ownSchemaText();
  const found = await registry.find(subject, schema);
  if (found !== undefined) return found.id;
  if (options.register) return registry.register(subject, schema);
  throw new Failure('not_found', `the order schema is not registered under subject ${subject}`, {
    fix: { kind: 'register_schema' },
  });
}

function beginning(first: number | undefined): string {
  if (first === undefined) return 'is empty';
  const isPrintable = first > 0x20 && first < 0x7f;
  return isPrintable
    ? `begins with "${String.fromCharCode(first)}" (byte ${first})`
    : `begins with byte ${first}`;
}
