type HeaderValue = Uint8Array | string;
/** Record headers: a name may have several values. */
export type Headers = Readonly<Record<string, HeaderValue | HeaderValue[] | undefined>>;

/** What a record looked like, to recognise it: CRC-32 of key and value with their lengths, and its timestamp. */
export interface RecordFingerprint {
  readonly offset: number;
  /** Milliseconds since the epoch, as Kafka holds it. */
  readonly timestamp: number;
  readonly crc: number;
}
