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

/** Outgoing messages, as in their row: messages, or one record with its key and value. */
export interface OutgoingRow {
  readonly id: number;
  readonly messages: readonly OutgoingMessage[] | readonly [RecordBody];
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** A record that cannot be delivered, as in its row. */
export interface RecordRow {
  readonly body: RecordBody;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Most messages in a row, which is read as a whole. They go to one destination and shard, in order. */
const MOST_IN_ROW = 250;

/** The number of parts of the outbox that different processes can send. */
export const SHARDS = 16;

/**
 * Messages to one destination about one key are in one shard, and so stay in order. FNV-1a, as on its authors' page.
 */
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

export function outgoingOf({ messages, key, value }: OutgoingRow): Outgoing[] {
  return messages.map((one) => (one.kind === 'message' ? one : recordOf({ body: one, key, value })));
}

/** The first rows that together have `most` messages, or slightly more: each row is read as a whole. */
export function firstRows(where: string, most: number): string {
  return `SELECT id, messages, key, value FROM (
      SELECT *, sum(message_count) OVER (ORDER BY id) - message_count AS before FROM orderctl.outbox WHERE ${where}
      ORDER BY id LIMIT ${most}) AS o
    WHERE before < ${most} ORDER BY id`;
}

export function recordOf({ body: { id, topic, headers }, key, value }: RecordRow): OutgoingRecord {
  const decoded = headers.map(([name, header]) => [name, decodeHeader(header)] as const);
  return { kind: 'record', id, topic, key, value, headers: decoded };
}

export interface RowToWrite {
  readonly destination: string;
  readonly shard: number;
  /** JSON. */
  readonly messages: string;
  readonly messageCount: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Messages to one destination in one shard share rows, in order. @param shards the shard of each */
export function rowsOf(all: readonly Outgoing[], shards: readonly number[]): RowToWrite[] {
  const groups: { readonly shard: number; readonly some: [Outgoing, ...Outgoing[]] }[] = [];
  /** Rows that can take more messages. */
  const open = new Map<string, Outgoing[]>();
  for (const [at, one] of all.entries()) {
    const shard = shards[at] ?? 0;
    const place = `${shard} ${destinationOf(one)}`;
    const known = open.get(place);
    if (one.kind === 'message' && known !== undefined && known.length < MOST_IN_ROW) {
      known.push(one);
      continue;
    }
    const some: [Outgoing] = [one];
    groups.push({ shard, some });
    if (one.kind === 'message') open.set(place, some);
    else open.delete(place);
  }
  return groups.map(({ shard, some }) => {
    const [first] = some;
    const row = { destination: destinationOf(first), shard, messageCount: some.length };
    if (first.kind === 'message') return { ...row, messages: JSON.stringify(some), key: null, value: null };
    return { ...row, messages: `[${bodyOf(first)}]`, key: bytesOf(first.key), value: bytesOf(first.value) };
  });
}

export function bodyOf({ id, topic, headers }: Omit<OutgoingRecord, 'key' | 'value'>): string {
  const encoded = headers.map(([name, header]) => [name, encodeHeader(header)] as const);
  return JSON.stringify({ kind: 'record', id, topic, headers: encoded } satisfies RecordBody);
}

export function bytesOf(bytes: Uint8Array | null): Buffer | null {
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
