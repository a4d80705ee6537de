import type { OutgoingMessage } from '../../../domain/messages/outgoing.ts';
import type { Headers, HeaderValue } from '../../../ports/record.ts';
import type { Outgoing, OutgoingRecord } from '../../../ports/store.ts';

/* What is to be sent as JSON: a line of an `outbox.N`, and in a file of `undelivered/`. */

type EncodedBytes = string | null;
type EncodedHeader = { s: string } | { b: string } | null;
export type EncodedOutgoing = EncodedRecord | OutgoingMessage;

interface EncodedRecord {
  /** As earlier versions wrote them too. */
  readonly kind?: never;
  readonly id: string;
  readonly topic: string;
  readonly key: EncodedBytes;
  readonly value: EncodedBytes;
  /** Several values under one name, as earlier versions wrote them. */
  readonly headers: readonly [string, EncodedHeader | EncodedHeader[]][];
}

export function encodeOutgoing(outgoing: Outgoing): EncodedOutgoing {
  if (outgoing.kind === 'message') return outgoing;
  return {
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

export function decodeOutgoing(encoded: EncodedOutgoing): Outgoing {
  return encoded.kind === 'message' ? encoded : decodeRecord(encoded);
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

/** A line of an `outbox.N`. */
export function renderOutgoing(outgoing: Outgoing): string {
  return `${JSON.stringify(encodeOutgoing(outgoing))}\n`;
}

/** @throws SyntaxError when it is no such line */
export function parseOutgoing(line: Buffer): Outgoing {
  return decodeOutgoing(JSON.parse(line.toString('utf8')) as EncodedOutgoing);
}

/** The content of a file of `undelivered/`: a state line of format 3, as earlier versions wrote it too. */
export function renderUndelivered(record: OutgoingRecord): string {
  return `${JSON.stringify(['outgoing', { number: 0, ...encodeOutgoing(record) }])}\n`;
}

/** @throws SyntaxError, TypeError when it is none */
export function parseUndelivered(bytes: Buffer): OutgoingRecord {
  const [kind, encoded] = JSON.parse(bytes.toString('utf8')) as [string, EncodedOutgoing];
  const outgoing = kind === 'outgoing' ? decodeOutgoing(encoded) : null;
  if (outgoing?.kind !== 'record') throw new TypeError('it is a line of another kind');
  return outgoing;
}
