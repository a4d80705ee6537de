/** Reads the zigzag numbers of Kafka's records one after another. */
export class Varints {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++] ?? 0;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && shift < 35; shift += 7) {
      byte = bytes[this.at++] ?? 0;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** Exact up to 2^53. */
  varlong(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++] ?? 0;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    const negative = (byte & 1) === 1;
    // Half the raw value, so that it stays within the exact range.
    let half = (byte & 0x7f) >>> 1;
    for (let factor = 64, read = 1; byte >= 0x80 && read < 10; factor *= 128, read += 1) {
      byte = bytes[this.at++] ?? 0;
      half += (byte & 0x7f) * factor;
    }
    return negative ? -half - 1 : half;
  }
}
