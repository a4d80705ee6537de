import type { OutgoingMessage } from '../../../domain/messages/outgoing.ts';
import type { Headers, HeaderValue } from '../../../ports/record.ts';
import type { Outgoing, OutgoingRecord } from '../../../ports/store.ts';
import { decodeColumns, encodeColumns, messagesOfOneLine, type EncodedColumns } from './outgoing-columns.ts';

/* Unsent messages and dead letters as JSON: lines of an `outbox.N`, and files of `undelivered/`. */

type EncodedBytes = string | null;
type EncodedHeader = { s: string } | { b: string } | null;
export type EncodedOutgoing = EncodedRecord | OutgoingMessage;

interface EncodedRecord {
  /** Missing: records have no kind, as in earlier versions. */
  readonly kind?: never;
  readonly id: string;
  readonly topic: string;
  readonly key: EncodedBytes;
  readonly value: EncodedBytes;
  /** Earlier versions wrote several values under one name. */
  readonly headers: readonly [string, EncodedHeader | EncodedHeader[]][];
}

function encodeOutgoing(outgoing: Outgoing): EncodedOutgoing {
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

/** A line of an `outbox.N`, and its content. */
export interface OutgoingLine {
  readonly text: string;
  readonly outgoing: readonly Outgoing[];
}

export function* renderOutgoing(outgoing: readonly Outgoing[]): Generator<OutgoingLine> {
  for (let at = 0; at < outgoing.length;) {
    const messages = messagesOfOneLine(outgoing, at);
    const [one] = outgoing.slice(at, at + 1);
    if (messages.length > 1) {
      yield { text: `${JSON.stringify(encodeColumns(messages))}\n`, outgoing: messages };
    } else if (one !== undefined) {
      const encoded = encodeOutgoing(one);
      // The bytes of a record belong to a fetched batch, which they would keep in memory.
      yield { text: `${JSON.stringify(encoded)}\n`, outgoing: [decodeOutgoing(encoded)] };
    }
    at += Math.max(1, messages.length);
  }
}

/** @throws SyntaxError, TypeError when it is not such a line */
export function parseOutgoing(line: Buffer): readonly Outgoing[] {
  const encoded = JSON.parse(line.toString('utf8')) as EncodedOutgoing | EncodedColumns;
  return encoded.kind === 'messages' ? decodeColumns(encoded) : [decodeOutgoing(encoded)];
}

/** The content of a file of `undelivered/`: a state line of format 3, as earlier versions wrote it. */
export function renderUndelivered(record: OutgoingRecord): string {
  return `${JSON.stringify(['outgoing', { number: 0, ...encodeOutgoing(record) }])}\n`;
}

/** @throws SyntaxError, TypeError when it is not such content */
export function parseUndelivered(bytes: Buffer): OutgoingRecord {
  const [kind, encoded] = JSON.parse(bytes.toString('utf8')) as [string, EncodedOutgoing];
  const outgoing = kind === 'outgoing' ? decodeOutgoing(encoded) : null;
  if (outgoing?.kind !== 'record') throw new TypeError('it is a line of another kind');
  return outgoing;
}
