import type { Codec } from '../../src/ports/codec.ts';

/**
 * Any message as plain JSON: for tests of code around a codec. A value that does not start with `{` is a dead letter.
 */
export class JsonCodec implements Codec<unknown> {
  /** Results of the next calls of `encode`, in order. */
  encodeFailures: Error[] = [];

  readonly decode: Codec<unknown>['decode'] = async (records) =>
    records.map(({ value }) => {
      const text = new TextDecoder().decode(value ?? new Uint8Array());
      if (text.startsWith('{')) return { kind: 'message', value: JSON.parse(text) as unknown };
      return { kind: 'dead_letter', code: 'undecodable', stage: 'decode', message: 'not JSON' };
    });

  async encode(values: readonly unknown[]): Promise<readonly Uint8Array[]> {
    const failure = this.encodeFailures.shift();
    if (failure !== undefined) throw failure;
    return values.map((value) => new TextEncoder().encode(JSON.stringify(value)));
  }
}
