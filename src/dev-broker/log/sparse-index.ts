import { crc32 } from 'node:zlib';

import { readFileIfThere, replaceFile } from '../files.ts';

/** Bytes of log between two entries: what a look-up has to read in vain at most, beside one batch. */
export const INDEX_GAP_BYTES = 16_384;
/** offset relative to the segment uint32, position uint32, highest timestamp of all batches before it float64 */
const ENTRY_BYTES = 16;

/**
 * Where batches are in a segment's file, by offset and by time: an entry every `INDEX_GAP_BYTES`, so that it is a
 * thousandth of the log. Grows in memory while its segment is written to; then it is a file, read when needed.
 */
export class SparseIndex {
  #entries: Buffer;
  #sizeBytes: number;

  constructor(entries: Buffer = Buffer.alloc(0)) {
    this.#entries = entries;
    this.#sizeBytes = entries.length;
  }

  /** @returns an index without entries, by which everything is found more slowly, when the file is not as written */
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

  /** Told of every batch; keeps one in a while. */
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

  /** @returns a position at or before the batch that holds the offset */
  positionOf(relativeOffset: number): number {
    return this.#lastWhere((at) => this.#entries.readUInt32BE(at) <= relativeOffset);
  }

  /** @returns a position at or before the first batch with a timestamp of at least `timestamp` */
  positionOfTime(timestamp: number): number {
    return this.#lastWhere((at) => this.#entries.readDoubleBE(at + 8) < timestamp);
  }

  /** The position in the last entry that holds `isBefore`, which is true of the first ones only. */
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
