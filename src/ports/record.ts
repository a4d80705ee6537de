import type { Failure } from '../domain/failure.ts';

/** null is different from an empty value. */
export type HeaderValue = Uint8Array | string | null;
/** Record headers in order. A name may occur several times. */
export type Headers = readonly (readonly [name: string, value: HeaderValue])[];

/** The last value of a header: if a name occurs several times, the last one is the newest. */
export function lastHeader(headers: Headers, name: string): HeaderValue | undefined {
  return headers.findLast(([candidate]) => candidate === name)?.[1];
}

/** Like lastHeader, by the record's own method if it has one. */
export function lastHeaderOf(
  record: { readonly headers: Headers; lastHeader?(name: string): HeaderValue | undefined },
  name: string,
): HeaderValue | undefined {
  return record.lastHeader === undefined ? lastHeader(record.headers, name) : record.lastHeader(name);
}

const DECODER = new TextDecoder();

/** The text of a header or key; null if it has no value. */
export function headerText(value: HeaderValue | undefined): string | null {
  return value instanceof Uint8Array ? DECODER.decode(value) : (value ?? null);
}

/** Identifies the content of a record: CRC-32 of key and value with their lengths, and the timestamp. */
export interface RecordFingerprint {
  readonly offset: number;
  /** Milliseconds since the epoch, as stored by Kafka. */
  readonly timestamp: number;
  readonly crc: number;
}

export function sameFingerprint(a: RecordFingerprint, b: RecordFingerprint): boolean {
  return a.offset === b.offset && a.timestamp === b.timestamp && a.crc === b.crc;
}

/** A stored position from which reading cannot continue. */
export interface RefusedPosition {
  /**
   * In order: the position belongs to another cluster; the partition no longer exists; the record at the position was
   * deleted; the position is past the end; the record before it is not the one that was read; that record is in a batch
   * that is damaged in Kafka.
   */
  readonly reason: 'cluster' | 'no_partition' | 'before_start' | 'past_end' | 'other_record' | 'unreadable';
  /** offsets_gone, topic_changed, or invalid_input for `unreadable`. */
  readonly failure: Failure;
}
