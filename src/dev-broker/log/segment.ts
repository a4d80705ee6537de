import fs from 'node:fs';
import path from 'node:path';

import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchEndOffset,
  batchMaxTimestamp,
  batchSizeBytes,
  type BatchHeader,
} from '../wire/record-batch.ts';
import { readAll, readFileIfThere, replaceFile, writeAll } from '../files.ts';
import type { AbortedTransaction } from './producers.ts';
import { INDEX_GAP_BYTES, SparseIndex } from './sparse-index.ts';

/** The `.seal` file of a closed segment: enough to use the segment without reading it. */
interface Seal {
  readonly endOffset: number;
  readonly sizeBytes: number;
  readonly maxTimestamp: number;
  readonly maxTimestampOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  readonly indexChecksum: number;
}

/** The position of a batch, and its header's bytes. */
interface FoundBatch {
  readonly position: number;
  readonly bytes: Buffer;
}

/**
 * A file of a partition's log, named by its first offset. The last one is written to; the others are sealed, with only
 * a few numbers in memory.
 */
export class Segment {
  readonly baseOffset: number;
  readonly #stem: string;
  endOffset: number;
  sizeBytes = 0;
  maxTimestamp = -1;
  /** Base offset of that batch. */
  maxTimestampOffset = -1;
  /** Read from the seal when needed, once sealed. */
  #aborted: AbortedTransaction[] | undefined = [];
  #index: SparseIndex | undefined = new SparseIndex();
  #indexChecksum = 0;
  /** Only while it is written to. */
  #fd: number | undefined;
  #abortedCount = 0;

  constructor(folder: string, baseOffset: number) {
    this.baseOffset = baseOffset;
    this.endOffset = baseOffset;
    this.#stem = path.join(folder, String(baseOffset).padStart(20, '0'));
  }

  get file(): string {
    return `${this.#stem}.log`;
  }

  /** @returns whether the seal exists and matches the file */
  loadSeal(): boolean {
    const seal = this.#readSeal();
    if (seal === undefined) return false;
    if (fs.statSync(this.file).size !== seal.sizeBytes) return false;
    this.endOffset = seal.endOffset;
    this.sizeBytes = seal.sizeBytes;
    this.maxTimestamp = seal.maxTimestamp;
    this.maxTimestampOffset = seal.maxTimestampOffset;
    this.#indexChecksum = seal.indexChecksum;
    this.#abortedCount = seal.aborted.length;
    this.#aborted = undefined;
    this.#index = undefined;
    return true;
  }

  open(): void {
    this.#fd = fs.openSync(this.file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o666);
  }

  /** Records a batch that is in the file at `sizeBytes`. */
  add(header: BatchHeader, baseOffset: number): void {
    this.#index?.add(baseOffset - this.baseOffset, this.sizeBytes, this.maxTimestamp);
    this.sizeBytes += header.sizeBytes;
    this.endOffset = baseOffset + header.lastOffsetDelta + 1;
    if (header.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = header.maxTimestamp;
      this.maxTimestampOffset = baseOffset;
    }
  }

  addAborted(transaction: AbortedTransaction): void {
    this.#aborted?.push(transaction);
    this.#abortedCount += 1;
  }

  append(batch: Buffer, header: BatchHeader, baseOffset: number): void {
    if (this.#fd === undefined) throw new Error(`${this.file} is sealed`);
    // A write that failed half-way is overwritten by the next: the size only grows by whole batches.
    writeAll(this.#fd, batch, this.sizeBytes);
    this.add(header, baseOffset);
  }

  /** Closes the segment. Its bytes are synced in the background. */
  seal(): void {
    const seal: Seal = {
      endOffset: this.endOffset,
      sizeBytes: this.sizeBytes,
      maxTimestamp: this.maxTimestamp,
      maxTimestampOffset: this.maxTimestampOffset,
      aborted: this.#aborted ?? [],
      indexChecksum: this.#index?.save(`${this.#stem}.index`) ?? this.#indexChecksum,
    };
    const fd = this.#fd;
    if (fd !== undefined) {
      // Remains of a torn write after the last whole batch.
      fs.ftruncateSync(fd, this.sizeBytes);
      this.#fd = undefined;
      fs.fdatasync(fd, () => fs.close(fd));
    }
    replaceFile(`${this.#stem}.seal`, JSON.stringify(seal));
    this.#indexChecksum = seal.indexChecksum;
    this.#index = undefined;
    this.#aborted = undefined;
  }

  truncate(sizeBytes: number): void {
    fs.truncateSync(this.file, sizeBytes);
  }

  sync(): void {
    if (this.#fd !== undefined) fs.fdatasyncSync(this.#fd);
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  remove(): void {
    this.close();
    // The log last: without it the other files would never be found again.
    for (const extension of ['seal', 'index', 'producers', 'log']) {
      fs.rmSync(`${this.#stem}.${extension}`, { force: true });
    }
  }

  /** Producers as they were at `baseOffset`. */
  saveProducers(json: string): void {
    replaceFile(`${this.#stem}.producers`, json);
  }

  loadProducers(): string | undefined {
    return readFileIfThere(`${this.#stem}.producers`)?.toString();
  }

  aborted(): readonly AbortedTransaction[] {
    if (this.#abortedCount === 0) return [];
    return this.#aborted ?? this.#readSeal()?.aborted ?? [];
  }

  /**
   * Whole batches from the one that contains `offset`, before `limitOffset`, up to `maxBytes`; with `atLeastOne` the
   * first one whatever its size.
   */
  read(offset: number, limitOffset: number, maxBytes: number, atLeastOne: boolean): Buffer {
    const from = this.#loadIndex().positionOf(offset - this.baseOffset);
    const wanted = Math.min(maxBytes + INDEX_GAP_BYTES, this.sizeBytes - from);
    return this.#withFd((fd) => {
      const bytes = Buffer.allocUnsafe(wanted);
      readAll(fd, bytes, from);
      const start = skipTo(bytes, offset);
      if (start === undefined) return this.#readOne(fd, from, offset, maxBytes, atLeastOne);
      let end = start;
      while (end + BATCH_HEADER_BYTES <= bytes.length && batchBaseOffset(bytes, end) < limitOffset) {
        const next = end + batchSizeBytes(bytes, end);
        if (next > bytes.length || next - start > maxBytes) break;
        end = next;
      }
      if (end > start) return bytes.subarray(start, end);
      return this.#readOne(fd, from + start, offset, maxBytes, atLeastOne);
    });
  }

  /** The batch that contains `offset`; `position` is at or before it. */
  #readOne(fd: number, position: number, offset: number, maxBytes: number, atLeastOne: boolean): Buffer {
    const found = this.#scan(fd, position, (bytes) => batchEndOffset(bytes, 0) > offset);
    if (found === undefined) return Buffer.alloc(0);
    const sizeBytes = batchSizeBytes(found.bytes, 0);
    if (sizeBytes > maxBytes && !atLeastOne) return Buffer.alloc(0);
    const batch = Buffer.allocUnsafe(sizeBytes);
    return batch.subarray(0, readAll(fd, batch, found.position));
  }

  /** The first whole batch that ends after `afterOffset` and has a timestamp of at least `timestamp`. */
  findByTime(timestamp: number, afterOffset: number): Buffer | undefined {
    const from = this.#loadIndex().positionOfTime(timestamp);
    return this.#withFd((fd) => {
      const found = this.#scan(
        fd,
        from,
        (bytes) => batchMaxTimestamp(bytes, 0) >= timestamp && batchEndOffset(bytes, 0) > afterOffset,
      );
      if (found === undefined) return undefined;
      const batch = Buffer.allocUnsafe(batchSizeBytes(found.bytes, 0));
      readAll(fd, batch, found.position);
      return batch;
    });
  }

  /** Steps from header to header. */
  #scan(fd: number, from: number, isIt: (header: Buffer) => boolean): FoundBatch | undefined {
    const header = Buffer.allocUnsafe(BATCH_HEADER_BYTES);
    for (let position = from; position < this.sizeBytes; position += batchSizeBytes(header, 0)) {
      if (readAll(fd, header, position) < BATCH_HEADER_BYTES) return undefined;
      if (isIt(header)) return { position, bytes: header };
    }
    return undefined;
  }

  #loadIndex(): SparseIndex {
    return this.#index ?? SparseIndex.load(`${this.#stem}.index`, this.#indexChecksum);
  }

  #withFd<T>(use: (fd: number) => T): T {
    if (this.#fd !== undefined) return use(this.#fd);
    const fd = fs.openSync(this.file, 'r');
    try {
      return use(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  #readSeal(): Seal | undefined {
    const json = readFileIfThere(`${this.#stem}.seal`)?.toString();
    try {
      return json === undefined ? undefined : (JSON.parse(json) as Seal);
    } catch {
      return undefined; // torn by a crash: the segment is read instead
    }
  }
}

/** @returns where the batch with `offset` begins; undefined when these bytes do not contain it */
function skipTo(bytes: Buffer, offset: number): number | undefined {
  let at = 0;
  while (at + BATCH_HEADER_BYTES <= bytes.length) {
    if (batchEndOffset(bytes, at) > offset) return at;
    at += batchSizeBytes(bytes, at);
  }
  return undefined;
}
