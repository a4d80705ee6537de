import { crc32 } from 'node:zlib';

import { readFileIfThere, replaceFile } from '../files.ts';

/** Bytes of log between two entries: what a look-up reads needlessly at most, besides one batch. */
export const INDEX_GAP_BYTES = 16_384;
/** offset relative to the segment uint32, position uint32, highest timestamp of all batches before it float64 */
const ENTRY_BYTES = 16;

/**
 * Positions of batches in a segment's file by offset and by time: an entry every `INDEX_GAP_BYTES`, a thousandth of the
 * log. Kept in memory while its segment is written to, then in a file that is read when needed.
 */
export class SparseIndex {
  #entries: Buffer;
  #sizeBytes: number;

  constructor(entries: Buffer = Buffer.alloc(0)) {
    this.#entries = entries;
    this.#sizeBytes = entries.length;
  }

  /** @returns an empty index, which makes look-ups slow but right, when the file is damaged */
  static load(file: string, checksum: number): SparseIndex {
    const entries = readFileIfThere(file);
    return entries !== undefined && crc32(entries) === checksum
      ? new SparseIndex(entries)
      : new SparseIndex();
  }

  /** @returns the checksum for `load` */
  save(file: string): number {
    const entries = this.#entries.subarray(0, this.#sizeBytes);
    replaceFile(file, entries);
    return crc32(entries);
  }

  /** Called for every batch; keeps an entry once per gap. */
  add(relativeOffset: number, position: number, maxTimestampBefore: number): void {
    const at = this.#sizeBytes;
    const last = at === 0 ? 0 : this.#entries.readUInt32BE(at - ENTRY_BYTES + 4);
    if (position - last < INDEX_GAP_BYTES) return;
    if (at === this.#entries.length) {
      const larger = Buffer.alloc(Math.max(this.#entries.length * 2, 64 * ENTRY_BYTES));
      this.#entries.copy(larger);
      this.#entries = larger;
    }
    this.#entries.writeUInt32BE(relativeOffset, at);
    this.#entries.writeUInt32BE(position, at + 4);
    this.#entries.writeDoubleBE(maxTimestampBefore, at + 8);
    this.#sizeBytes += ENTRY_BYTES;
  }

  /** @returns a position at or before the batch that contains the offset */
  positionOf(relativeOffset: number): number {
    return this.#lastWhere((at) => this.#entries.readUInt32BE(at) <= relativeOffset);
  }

  /** @returns a position at or before the first batch with a timestamp of at least `timestamp` */
  positionOfTime(timestamp: number): number {
    return this.#lastWhere((at) => this.#entries.readDoubleBE(at + 8) < timestamp);
  }

  /** The position of the last entry for which `isBefore` holds; it is true for a prefix of the entries. */
  #lastWhere(isBefore: (at: number) => boolean): number {
    let low = 0;
    let high = this.#sizeBytes / ENTRY_BYTES;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(middle * ENTRY_BYTES)) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.#entries.readUInt32BE((low - 1) * ENTRY_BYTES + 4);
  }
}
