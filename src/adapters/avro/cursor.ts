/** Malformed bytes, and where they were noticed (from the start of the value). */
export class BadBytes extends Error {
  readonly position: number;

  constructor(position: number, message: string) {
    super(message);
    this.position = position;
  }
}

/** Under a recursive schema a few bytes could nest to any depth. */
const MAX_DEPTH = 64;

/**
 * Reads Avro's binary encoding from untrusted bytes. Every length is compared with the bytes left before anything is
 * allocated for it. Source: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
export class Cursor {
  readonly #bytes: Buffer;
  /** End of this value; the buffer may contain more values after it. */
  readonly #end: number;
  /** How many more zero-byte items may be read: the bytes left do not bound their number. */
  #freeItems: number;
  #depth = 0;
  position: number;

  constructor(bytes: Buffer, position: number, end = bytes.length) {
    this.#bytes = bytes;
    this.#end = end;
    this.position = position;
    this.#freeItems = end - position;
  }

  get left(): number {
    return this.#end - this.position;
  }

  fail(message: string): never {
    throw new BadBytes(this.position, message);
  }

  nested<T>(read: () => T): T {
    if (this.#depth >= MAX_DEPTH) this.fail(`values nest deeper than ${MAX_DEPTH}`);
    this.#depth += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  byte(): number {
    const value = this.#bytes[this.position];
    if (value === undefined || this.position >= this.#end) this.fail('the value ends too early');
    this.position += 1;
    return value;
  }

  boolean(): boolean {
    const value = this.byte();
    if (value > 1) this.fail(`byte ${value} is not a boolean`);
    return value === 1;
  }

  int(): number {
    const value = this.long();
    if (typeof value === 'bigint' || value < -(2 ** 31) || value >= 2 ** 31)
      this.fail('a number is too large for an int');
    return value;
  }

  /** A bigint where a number would not be exact. */
  long(): number | bigint {
    let raw = 0;
    let scale = 1;
    // Seven bytes are 49 bits: exact in a double, and enough for times in milliseconds.
    for (let read = 0; read < 7; read++) {
      const byte = this.byte();
      raw += (byte & 0x7f) * scale;
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      scale *= 128;
    }
    let wide = BigInt(raw);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      wide |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (wide >= 1n << 64n) this.fail('a number is too large for a long');
        const value = (wide >> 1n) ^ -(wide & 1n);
        const exact = Number(value);
        return Number.isSafeInteger(exact) ? exact : value;
      }
    }
    return this.fail('a number is longer than ten bytes');
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#take(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  bytes(): Buffer {
    return this.fixed(this.#length());
  }

  /**
   * Reads a length, then a big-endian two's-complement integer of that size. NaN when empty or longer than six bytes.
   */
  signed(): number {
    const sizeBytes = this.#length();
    const from = this.#take(sizeBytes);
    return sizeBytes === 0 || sizeBytes > 6 ? NaN : this.#bytes.readIntBE(from, sizeBytes);
  }

  fixed(sizeBytes: number): Buffer {
    const from = this.#take(sizeBytes);
    return this.#bytes.subarray(from, from + sizeBytes);
  }

  /** Skips bytes or a string. */
  skip(): void {
    this.#take(this.#length());
  }

  string(): string {
    const sizeBytes = this.#length();
    const from = this.#take(sizeBytes);
    return this.#bytes.toString('utf8', from, from + sizeBytes);
  }

  /** Calls `readItem` for each item of an array's or a map's blocks. @param free whether items take no bytes */
  blocks(free: boolean, readItem: () => void): void {
    for (;;) {
      let count = this.long();
      if (count === 0) return;
      if (count < 0) {
        count = -count;
        // Negative counts are followed by the size of the block, for readers that skip it.
        const sizeBytes = this.long();
        if (sizeBytes < 0 || sizeBytes > this.left)
          this.fail(`a block claims ${sizeBytes} bytes, ${this.left} are left`);
      }
      if (free) {
        this.#freeItems -= Number(count);
        if (this.#freeItems < 0) this.fail(`a block claims ${count} items that take no bytes`);
      } else if (count > this.left) {
        this.fail(`a block claims ${count} items, ${this.left} bytes are left`);
      }
      for (let read = 0; read < count; read++) readItem();
    }
  }

  /** Reads an index and returns the item there: a symbol of an enum, a branch of a union. */
  choose<T>(what: string, from: readonly T[]): T {
    const index = this.long();
    const chosen = typeof index === 'number' ? from[index] : undefined;
    return chosen ?? this.fail(`there is no ${what} ${index}`);
  }

  #length(): number {
    const sizeBytes = this.long();
    if (typeof sizeBytes === 'bigint' || sizeBytes < 0) this.fail(`${sizeBytes} is not a length`);
    return sizeBytes;
  }

  #take(sizeBytes: number): number {
    if (sizeBytes > this.left) this.fail(`${sizeBytes} bytes are needed, ${this.left} are left`);
    const from = this.position;
    this.position += sizeBytes;
    return from;
  }
}
