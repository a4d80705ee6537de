/** From this size on, bytes are sent by reference instead of being copied into the answer. */
const BY_REFERENCE_BYTES = 2048;
const FIRST_CHUNK_BYTES = 512;
const PREFIX_BYTES = 4;

/**
 * Writes the fields of an answer one after another, in either encoding of the protocol (see `Reader`). Large byte
 * fields are kept by reference: a fetched record set goes from the page cache to the socket with one copy.
 */
export class Writer {
  #chunk: Buffer = Buffer.allocUnsafe(FIRST_CHUNK_BYTES);
  /** The length is written at the end. */
  #at = PREFIX_BYTES;
  #done: Buffer[] = [];
  #doneBytes = 0;
  /** Set by the server from the header on. */
  flexible = false;

  int8(value: number): void {
    const at = this.#room(1);
    this.#chunk.writeInt8(value, at);
  }

  int16(value: number): void {
    const at = this.#room(2);
    this.#chunk.writeInt16BE(value, at);
  }

  int32(value: number): void {
    const at = this.#room(4);
    this.#chunk.writeInt32BE(value, at);
  }

  int64(value: number): void {
    const at = this.#room(8);
    const high = Math.floor(value / 2 ** 32);
    this.#chunk.writeInt32BE(high, at);
    this.#chunk.writeUInt32BE(value - high * 2 ** 32, at + 4);
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  /** 22 characters of base64url. */
  uuid(value: string): void {
    const at = this.#room(16);
    this.#chunk.write(value, at, 16, 'base64url');
  }

  string(value: string): void {
    this.nullableString(value);
  }

  nullableString(value: string | null): void {
    const length = value === null ? -1 : Buffer.byteLength(value);
    if (this.flexible) this.#unsignedVarint(length + 1);
    else this.int16(length);
    if (value === null) return;
    const at = this.#room(length);
    this.#chunk.write(value, at, length, 'utf8');
  }

  bytes(value: Buffer): void {
    this.nullableBytes(value);
  }

  nullableBytes(value: Buffer | null): void {
    this.#length(value === null ? -1 : value.length);
    if (value !== null) this.#raw(value);
  }

  /** One field from several buffers. */
  bytesOf(parts: readonly Buffer[]): void {
    this.#length(parts.reduce((sum, part) => sum + part.length, 0));
    for (const part of parts) this.#raw(part);
  }

  /** An array of plain values; of structs: `structs`. */
  array<T>(values: readonly T[] | null, write: (value: T) => void): void {
    this.#length(values === null ? -1 : values.length);
    values?.forEach(write);
  }

  /** An array of structs; each gets its (empty) tagged fields in flexible versions. */
  structs<T>(values: readonly T[] | null, write: (value: T) => void): void {
    this.array(values, (value) => {
      write(value);
      this.noTags();
    });
  }

  /** At the end of a struct that is not in an array; the answer's own are written by the server. */
  noTags(): void {
    if (this.flexible) this.int8(0);
  }

  /** @returns the bytes to send, starting with the length; the writer cannot be used again */
  finish(): Buffer[] {
    this.#close();
    this.#done[0]?.writeInt32BE(this.#doneBytes - PREFIX_BYTES, 0);
    return this.#done;
  }

  #length(length: number): void {
    if (this.flexible) this.#unsignedVarint(length + 1);
    else this.int32(length);
  }

  #unsignedVarint(value: number): void {
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 128)) {
      const at = this.#room(1);
      this.#chunk[at] = (left % 128) | 0x80;
    }
    const at = this.#room(1);
    this.#chunk[at] = left;
  }

  #raw(value: Buffer): void {
    if (value.length < BY_REFERENCE_BYTES) {
      const at = this.#room(value.length);
      value.copy(this.#chunk, at);
      return;
    }
    this.#close();
    this.#done.push(value);
    this.#doneBytes += value.length;
    this.#chunk = Buffer.allocUnsafe(FIRST_CHUNK_BYTES);
    this.#at = 0;
  }

  #close(): void {
    if (this.#at === 0) return;
    this.#done.push(this.#chunk.subarray(0, this.#at));
    this.#doneBytes += this.#at;
  }

  /** Reserves `bytes` in the current chunk, which it may replace by a larger one: call it before using `#chunk`. */
  #room(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#chunk.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#chunk.length * 2, at + bytes));
      this.#chunk.copy(larger, 0, 0, at);
      this.#chunk = larger;
    }
    this.#at = at + bytes;
    return at;
  }
}
