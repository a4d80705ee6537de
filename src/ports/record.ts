import type { Failure } from '../domain/failure.ts';

/** null is not the same as no bytes. */
export type HeaderValue = Uint8Array | string | null;
/** Record headers in their order; a name may stand several times. */
export type Headers = readonly (readonly [name: string, value: HeaderValue])[];

/** The last value under this name: where a header stands several times, the last one is the newest. */
export function lastHeader(headers: Headers, name: string): HeaderValue | undefined {
  return headers.findLast(([candidate]) => candidate === name)?.[1];
}

/** As lastHeader, by the record's own way where it has one. */
export function lastHeaderOf(
  record: { readonly headers: Headers; lastHeader?(name: string): HeaderValue | undefined },
  name: string,
): HeaderValue | undefined {
  return record.lastHeader === undefined ? lastHeader(record.headers, name) : record.lastHeader(name);
}

const DECODER = new TextDecoder();

/** The text of a header, or of a key; null where there is none. */
export function headerText(value: HeaderValue | undefined): string | null {
  return value instanceof Uint8Array ? DECODER.decode(value) : (value ?? null);
}

/** What a record looked like, to recognise it: CRC-32 of key and value with their lengths, and its timestamp. */
export interface RecordFingerprint {
  readonly offset: number;
  /** Milliseconds since the epoch, as Kafka holds it. */
  readonly timestamp: number;
  readonly crc: number;
}

export function sameFingerprint(a: RecordFingerprint, b: RecordFingerprint): boolean {
  return a.offset === b.offset && a.timestamp === b.timestamp && a.crc === b.crc;
}

/** A stored position from which reading cannot continue. */
export interface RefusedPosition {
  /**
   * It was read from another cluster; there is no such partition any more; what comes next was deleted; it lies past the
   * end; the record before it is not the one that was read; that record is in a batch that is broken in Kafka.
   */
  readonly reason: 'cluster' | 'no_partition' | 'before_start' | 'past_end' | 'other_record' | 'unreadable';
  /** offsets_gone, topic_changed, or invalid_input for one that is unreadable. */
  readonly failure: Failure;
}
