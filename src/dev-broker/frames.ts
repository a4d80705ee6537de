import { BadFrame } from './wire/reader.ts';

const PREFIX_BYTES = 4;
const FIRST_BYTES = 65_536;

/**
 * Splits the bytes of a connection into frames: an int32 length, then that many bytes. Memory is allocated for at most
 * twice the bytes received, never for a length that a client only claims.
 */
export class Frames {
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Whether `#buffer` may be written after `#end`: a chunk of the socket may not. */
  #owned = false;

  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  push(chunk: Buffer): void {
    if (this.pendingBytes === 0) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    if (!this.#owned || this.#end + chunk.length > this.#buffer.length) this.#grow(chunk.length);
    // Frames already returned lie before `#end` and stay untouched.
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /**
   * @returns the next whole frame without its length, a view that stays valid
   * @throws BadFrame for a length that is negative or above `maxBytes`
   */
  next(maxBytes: number): Buffer | undefined {
    if (this.pendingBytes < PREFIX_BYTES) return undefined;
    const length = this.#buffer.readInt32BE(this.#start);
    if (length < 0 || length > maxBytes) throw new BadFrame(`a request of ${length} bytes`);
    const end = this.#start + PREFIX_BYTES + length;
    if (end > this.#end) return undefined;
    const frame = this.#buffer.subarray(this.#start + PREFIX_BYTES, end);
    this.#start = end;
    return frame;
  }

  #grow(bytes: number): void {
    const needed = this.pendingBytes + bytes;
    const larger = Buffer.allocUnsafe(Math.max(needed * 2, FIRST_BYTES));
    this.#buffer.copy(larger, 0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    this.#buffer = larger;
    this.#owned = true;
  }
}
