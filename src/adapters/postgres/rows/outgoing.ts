import type { OutgoingMessage } from '../../../domain/messages/outgoing.ts';
import type { HeaderValue } from '../../../ports/record.ts';
import { destinationOf, type Outgoing, type OutgoingRecord } from '../../../ports/store.ts';

type EncodedHeader = { readonly text: string } | { readonly base64: string } | null;

interface RecordBody {
  readonly kind: 'record';
  readonly id: string;
  readonly topic: string;
  readonly headers: readonly (readonly [string, EncodedHeader])[];
}

/** What is to be sent, as its row has it. */
export interface OutgoingRow {
  readonly body: OutgoingMessage | RecordBody;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** How many parts the outbox has that may be sent by different processes. */
export const SHARDS = 16;

/** What goes to one destination about one key is in one of them: it stays in its order. FNV-1a, by its authors' page. */
export function shardOf(outgoing: Outgoing): number {
  const key = outgoing.key ?? '';
  let hash = 0x811c9dc5;
  const add = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (const byte of Buffer.from(destinationOf(outgoing))) add(byte);
  for (const byte of typeof key === 'string' ? Buffer.from(key) : key) add(byte);
  return (hash >>> 0) % SHARDS;
}

export function outgoingOf({ body, key, value }: OutgoingRow): Outgoing {
  if (body.kind === 'message') return body;
  const { id, topic, headers } = body;
  return {
    kind: 'record',
    id,
    topic,
    key,
    value,
    headers: headers.map(([name, header]) => [name, decodeHeader(header)] as const),
  };
}

/** The body as JSON, the key and the value. */
export function rowOf(outgoing: Outgoing): { body: string; key: Buffer | null; value: Buffer | null } {
  if (outgoing.kind === 'message') return { body: JSON.stringify(outgoing), key: null, value: null };
  return { body: bodyOf(outgoing), key: bytesOf(outgoing.key), value: bytesOf(outgoing.value) };
}

export function bodyOf({ id, topic, headers }: Omit<OutgoingRecord, 'key' | 'value'>): string {
  const encoded = headers.map(([name, header]) => [name, encodeHeader(header)] as const);
  return JSON.stringify({ kind: 'record', id, topic, headers: encoded } satisfies RecordBody);
}

function bytesOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encodeHeader(value: HeaderValue): EncodedHeader {
  if (value === null) return null;
  return typeof value === 'string' ? { text: value } : { base64: Buffer.from(value).toString('base64') };
}

function decodeHeader(value: EncodedHeader): HeaderValue {
  if (value === null) return null;
  return 'text' in value ? value.text : Buffer.from(value.base64, 'base64');
}
