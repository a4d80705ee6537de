/** Bytes that are not a request of the Kafka protocol. Their connection is closed. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame';
}

/** Elements of all arrays of a request together: no client of one node sends as many. */
const MAX_ELEMENTS = 500_000;

/** Kafka's "no id": sixteen zero bytes. */
export const NO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

/**
 * Reads the fields of a request one after another, in either encoding of the protocol: in flexible versions
 * lengths are unsigned varints plus one and every struct ends in tagged fields; in classic ones they are int16 and
 * int32 (https://kafka.apache.org/protocol#protocol_types, KIP-482). The header decides which, so that a request file
 * is the same for both.
 *
 * Every length is compared with the bytes left before anything is allocated for it. int64 is read as a number: exact to
 * 2^53, which no offset, timestamp or producer id reaches.
 *
 * @throws BadFrame from each method, when the bytes end early or are malformed
 */
export class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #elementsLeft = MAX_ELEMENTS;
  /** Set from the header on; the header's own strings are classic. */
  flexible: boolean;

  constructor(bytes: Buffer, flexible = false) {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
    this.flexible = flexible;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  int64(): number {
    const at = this.#take(8);
    return this.#bytes.readInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4);
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  /** 22 characters of base64url, as Kafka prints them. */
  uuid(): string {
    const at = this.#take(16);
    return this.#bytes.toString('base64url', at, at + 16);
  }

  string(): string {
    return this.nullableString() ?? refuse('a required string is null');
  }

  nullableString(): string | null {
    const length = this.flexible ? this.#compactLength() : this.int16();
    if (length < 0) return null;
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** A view of the frame, not a copy. */
  bytes(): Buffer {
    return this.nullableBytes() ?? refuse('required bytes are null');
  }

  /** A view of the frame, not a copy. Also for record sets. */
  nullableBytes(): Buffer | null {
    const length = this.flexible ? this.#compactLength() : this.int32();
    if (length < 0) return null;
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** An array of plain values; of structs: `structs`. Null is read as empty. */
  array<T>(read: () => T): T[] {
    return this.nullableArray(read) ?? [];
  }

  nullableArray<T>(read: () => T): T[] | null {
    const count = this.#count();
    return count === null ? null : Array.from({ length: count }, read);
  }

  /** An array of structs, each with its tagged fields, which are skipped. Null is read as empty. */
  structs<T>(read: () => T): T[] {
    return this.nullableStructs(read) ?? [];
  }

  nullableStructs<T>(read: () => T): T[] | null {
    return this.nullableArray(() => {
      const value = read();
      this.skipTags();
      return value;
    });
  }

  /** At the end of a struct that is not in an array; the request's own are skipped by the server. */
  skipTags(): void {
    if (!this.flexible) return;
    for (let left = this.#unsignedVarint(); left > 0; left -= 1) {
      this.#unsignedVarint();
      this.#take(this.#unsignedVarint());
    }
  }

  #count(): number | null {
    const count = this.flexible ? this.#compactLength() : this.int32();
    if (count < 0) return null;
    // Each element takes at least a byte.
    if (count > this.remaining) refuse(`an array of ${count} in ${this.remaining} bytes`);
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) refuse(`arrays of more than ${MAX_ELEMENTS} elements together`);
    return count;
  }

  #compactLength(): number {
    return this.#unsignedVarint() - 1;
  }

  #unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return refuse('a varint of more than five bytes');
  }

  /** @returns where the next `length` bytes begin */
  #take(length: number): number {
    if (length > this.remaining) refuse(`${length} bytes are needed and ${this.remaining} are left`);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

function refuse(what: string): never {
  throw new BadFrame(what);
}
