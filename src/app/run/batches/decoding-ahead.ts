import type { BrokerRecord } from '../../../ports/broker.ts';
import type { Codec, Decoded } from '../../../ports/codec.ts';

/** Decodes the records of the next batch while the one before it is being stored. */
export class DecodingAhead<M> {
  readonly #codec: Codec<M>;
  #expected: { records: readonly BrokerRecord[]; decoded: Promise<readonly Decoded<M>[]> } | undefined;

  constructor(codec: Codec<M>) {
    this.#codec = codec;
  }

  /** Whether more records are at hand than those that were taken last. */
  get isAhead(): boolean {
    return this.#expected !== undefined;
  }

  /** @param records likely to be requested next */
  expect(records: readonly BrokerRecord[]): void {
    const decoded = this.#codec.decode(records);
    // When the records are processed, decoding fails in the same way or is tried again.
    decoded.catch(() => undefined);
    this.#expected = { records, decoded };
  }

  /**
   * Returns a function that decodes these records; its first call may find them decoded already. If other records were
   * expected, those will not arrive, and their result is dropped.
   */
  of(records: readonly BrokerRecord[]): () => Promise<readonly Decoded<M>[]> {
    const expected = this.#expected;
    this.#expected = undefined;
    let ahead = expected?.records === records ? expected.decoded : undefined;
    return () => {
      const decoded = ahead ?? this.#codec.decode(records);
      ahead = undefined;
      return decoded;
    };
  }
}
