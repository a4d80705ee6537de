import type { BrokerRecord } from '../../../ports/broker.ts';
import type { Codec, Decoded } from '../../../ports/codec.ts';

/** Decodes the records of the next batch while the one before it is being stored. */
export class DecodingAhead<M> {
  readonly #codec: Codec<M>;
  #expected: { records: readonly BrokerRecord[]; decoded: Promise<readonly Decoded<M>[]> } | undefined;

  constructor(codec: Codec<M>) {
    this.#codec = codec;
  }

  /** Whether records are at hand beyond those that were taken last. */
  get isAhead(): boolean {
    return this.#expected !== undefined;
  }

  /** @param records likely to be asked for next */
  expect(records: readonly BrokerRecord[]): void {
    const decoded = this.#codec.decode(records);
    // Processing them fails in the same way, or tries again.
    decoded.catch(() => undefined);
    this.#expected = { records, decoded };
  }

  /**
   * Decodes these records; the first call may find them decoded already. If others were expected, those will not
   * come, and nothing waits for them.
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
