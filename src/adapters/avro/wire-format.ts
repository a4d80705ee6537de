import type { BrokerRecord } from '../../ports/broker.ts';
import { lastHeaderOf } from '../../ports/record.ts';

/*
 * The Confluent wire format: a 0 byte, the schema id in four big-endian bytes, then Avro. Alternatively the value is
 * Avro alone, and a header identifies its schema: a 0 byte and the id, or a 1 byte and the GUID in sixteen bytes.
 * Sources:
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 * io.confluent.kafka.serializers.schema.id: SchemaId, HeaderSchemaIdSerializer, DualSchemaIdDeserializer (8.0)
 */

export const MAGIC_BYTE = 0;
/** The first byte of a JSON object. */
export const OPENING_BRACE = 0x7b;
export const HEADER_BYTES = 5;
const SCHEMA_HEADER = '__value_schema_id';
const MAGIC_BYTE_GUID = 1;
const GUID_HEADER_BYTES = 17;

/** A schema's id in the registry, or its GUID as text. */
export type SchemaKey = number | string;

/** @param from start of a value of at least HEADER_BYTES */
export function schemaIdOf(bytes: Uint8Array, from: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[from + 1], bytes[from + 2], bytes[from + 3], bytes[from + 4]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** The schema that the record's header names; it takes precedence over a prefix. */
export function schemaInHeader(record: Pick<BrokerRecord, 'headers' | 'lastHeader'>): SchemaKey | undefined {
  const value = lastHeaderOf(record, SCHEMA_HEADER);
  if (!(value instanceof Uint8Array)) return undefined;
  if (value[0] === MAGIC_BYTE && value.length >= HEADER_BYTES) return schemaIdOf(value, 0);
  if (value[0] !== MAGIC_BYTE_GUID || value.length < GUID_HEADER_BYTES) return undefined;
  const hex = toBuffer(value).toString('hex', 1, GUID_HEADER_BYTES);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** How messages name a schema, after the word "schema". */
export function schemaName(key: SchemaKey): string {
  return typeof key === 'number' ? String(key) : `with GUID ${key}`;
}

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
