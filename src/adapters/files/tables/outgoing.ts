import type { OutgoingMessage } from '../../../domain/messages/outgoing.ts';
import type { Headers, HeaderValue } from '../../../ports/record.ts';
import type { Outgoing, OutgoingRecord } from '../../../ports/store.ts';

/* What is to be sent as JSON, in a state line and in a file of `undelivered/`. */

/** What is to be sent, and its place in the order of all that ever was. */
export interface Unsent {
  readonly number: number;
  readonly outgoing: Outgoing;
}

type EncodedBytes = string | null;
type EncodedHeader = { s: string } | { b: string } | null;
export type EncodedOutgoing = { readonly number: number } & (EncodedRecord | OutgoingMessage);

interface EncodedRecord {
  /** As earlier versions wrote them too. */
  readonly kind?: never;
  readonly id: string;
  readonly topic: string;
  readonly key: EncodedBytes;
  readonly value: EncodedBytes;
  /** Several values under one name: as earlier versions wrote them. */
  readonly headers: readonly [string, EncodedHeader | EncodedHeader[]][];
}

export function encodeOutgoing({ number, outgoing }: Unsent): EncodedOutgoing {
  if (outgoing.kind === 'message') return { number, ...outgoing };
  return {
    number,
    id: outgoing.id,
    topic: outgoing.topic,
    key: encodeBytes(outgoing.key),
    value: encodeBytes(outgoing.value),
    headers: outgoing.headers.map(([name, value]) => [name, encodeHeader(value)]),
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
  const { number, ...rest } = encoded;
  return { number, outgoing: rest.kind === 'message' ? rest : decodeRecord(rest) };
}

function decodeRecord({ id, topic, key, value, headers: encoded }: EncodedRecord): OutgoingRecord {
  const headers: Headers = encoded.flatMap(([name, header]) =>
    (Array.isArray(header) ? header : [header]).map((one) => [name, decodeHeader(one)] as const),
  );
  return {
    kind: 'record',
    id,
    topic,
    key: key === null ? null : Buffer.from(key, 'base64'),
    value: value === null ? null : Buffer.from(value, 'base64'),
    headers,
  };
}
