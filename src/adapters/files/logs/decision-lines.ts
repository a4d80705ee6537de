import type { Decided } from '../../../domain/orders/decided.ts';
import { maxLineBytes, writeDecided } from './order-line.ts';

const FIRST_BYTES = 64 * 1024;

/**
 * The lines of a transaction for one log, rendered into one buffer that is reused: concatenating the strings of a large
 * batch would cost more than everything else.
 */
export class DecisionLines {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  /** Where the lines of this transaction start. */
  #from = 0;
  /** Order ids, and where the line of each starts. */
  readonly keys: string[] = [];
  readonly starts: number[] = [];

  /** Valid until the next `clear`. */
  get parts(): readonly Buffer[] {
    return [this.#buffer.subarray(this.#from, this.#length)];
  }

  clear(): void {
    this.#length = 0;
    this.begin();
  }

  /** Starts the next transaction; the bytes of the previous ones stay as they are. */
  begin(): void {
    this.#from = this.#length;
    this.keys.length = 0;
    this.starts.length = 0;
  }

  add(decided: Decided, seq: number): void {
    const needed = this.#length + maxLineBytes(decided);
    if (needed > this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.byteLength * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.keys.push(decided.order.orderId);
    this.starts.push(this.#length - this.#from);
    this.#length = writeDecided(decided, seq, this.#buffer, this.#length);
  }
}
