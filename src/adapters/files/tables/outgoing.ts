import type { Headers, HeaderValue } from '../../../ports/record.ts';
import type { Outgoing } from '../../../ports/store.ts';

/* A record to be sent as JSON, in a state line and in a file of `undelivered/`. */

/** An outgoing record and its place in the order of all that ever were. */
export interface Unsent extends Outgoing {
  readonly number: number;
}

type EncodedBytes = string | null;
type EncodedHeader = { s: string } | { b: string } | null;
export interface EncodedOutgoing {
  readonly number: number;
  readonly id: string;
  readonly topic: string;
  readonly key: EncodedBytes;
  readonly value: EncodedBytes;
  /** Several values under one name: as earlier versions wrote them. */
  readonly headers: readonly [string, EncodedHeader | EncodedHeader[]][];
}

export function encodeOutgoing(record: Unsent): EncodedOutgoing {
  return {
    number: record.number,
    id: record.id,
    topic: record.topic,
    key: encodeBytes(record.key),
    value: encodeBytes(record.value),
    headers: record.headers.map(([name, value]) => [name, encodeHeader(value)]),
  };
}

function encodeBytes(bytes: Uint8Array | null): EncodedBytes {
  return bytes === null
    ? null
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function encodeHeader(value: HeaderValue): EncodedHeader {
  if (value === null) return null;
  return typeof value === 'string' ? { s: value } : { b: encodeBytes(value) ?? '' };
}

function decodeHeader(value: EncodedHeader): HeaderValue {
  if (value === null) return null;
  return 's' in value ? value.s : Buffer.from(value.b, 'base64');
}

export function decodeOutgoing(encoded: EncodedOutgoing): Unsent {
  const { number, id, topic, key, value } = encoded;
  const headers: Headers = encoded.headers.flatMap(([name, header]) =>
    (Array.isArray(header) ? header : [header]).map((one) => [name, decodeHeader(one)] as const),
  );
  return {
    number,
    id,
    topic,
    key: key === null ? null : Buffer.from(key, 'base64'),
    value: value === null ? null : Buffer.from(value, 'base64'),
    headers,
  };
}
