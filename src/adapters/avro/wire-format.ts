import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/*
 * The Confluent wire format: a byte 0, the schema id in four bytes, big-endian, then Avro. Source:
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 */

export const MAGIC_BYTE = 0;
/** What a value in JSON begins with. */
export const OPENING_BRACE = 0x7b;
export const HEADER_BYTES = 5;

/** @param from where a value of at least HEADER_BYTES begins */
export function schemaIdOf(bytes: Uint8Array, from: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[from + 1], bytes[from + 2], bytes[from + 3], bytes[from + 4]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function ownSchemaText(): string {
  // By package.json, wherever the build has put this module: schemas are not compiled.
  return readFileSync(createRequire(import.meta.url).resolve('#schemas/order.avsc'), 'utf8');
}
