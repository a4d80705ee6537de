import fs from 'node:fs';

import { KafkaError } from '../wire/errors.ts';
import {
  endTransactionBatch,
  placeBatch,
  readBatchHeader,
  stampBatch,
  type BatchHeader,
} from '../wire/record-batch.ts';
import type { RecordPlace } from '../wire/records.ts';
import { firstAtTime, latestByTime } from './by-time.ts';
import type { AbortedTransaction, ActiveProducer, ProducerStates } from './producers.ts';
import { recoverLog } from './recovery.ts';
import { outlived, type Retention } from './retention.ts';
import { Segment } from './segment.ts';

/** With one node the leader never changes. */
export const LEADER_EPOCH = 0;

/** The topic's settings that apply to its logs; they may change while these are open. */
export interface LogSettings extends Retention {
  readonly maxMessageBytes: number;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  /** How far ahead of the clock a record's timestamp may be. */
  readonly timestampAheadMs: number;
  /** message.timestamp.type=LogAppendTime */
  readonly isAppendTime: boolean;
}

export interface Appended {
  readonly baseOffset: number;
  /** -1 unless the topic's records carry their time of arrival. */
  readonly appendTimeMs: number;
}

interface ReadOptions {
  readonly offset: number;
  readonly maxBytes: number;
  /** Return the first batch whatever its size, or a consumer would never get past it. */
  readonly atLeastOne: boolean;
  /** read_committed: up to the last stable offset. */
  readonly committedOnly: boolean;
}

/**
 * The log of one partition: record batches in segments, their producers, and readers waiting for more. All calls are
 * synchronous: a write is in the page cache when it returns and survives a kill -9.
 */
export class Partition {
  readonly topic: string;
  readonly index: number;
  readonly #folder: string;
  readonly #settings: () => LogSettings;
  /** The oldest first. */
  readonly #sealed: Segment[];
  #active: Segment;
  readonly #producers: ProducerStates;
  readonly #listeners = new Set<(bytes: number) => void>();
  #startOffset: number;
  /** When the first batch of the active segment was written, for segment.ms. */
  #activeSinceMs: number;
  #closed = false;
  readonly tornBytes: number;

  /**
   * @param startOffset records below it were deleted on request
   * @throws CorruptLogError
   */
  constructor(
    topic: string,
    index: number,
    folder: string,
    startOffset: number,
    settings: () => LogSettings,
  ) {
    this.topic = topic;
    this.index = index;
    this.#folder = folder;
    this.#settings = settings;
    const { sealed, active, producers, tornBytes } = recoverLog(folder);
    this.#sealed = sealed;
    this.#active = active;
    this.#producers = producers;
    this.tornBytes = tornBytes;
    this.#startOffset = Math.min(Math.max(startOffset, this.#first.baseOffset), this.endOffset);
    this.#activeSinceMs = this.#active.sizeBytes === 0 ? Infinity : Date.now();
  }

  get #first(): Segment {
    return this.#sealed[0] ?? this.#active;
  }

  get #segments(): Segment[] {
    return [...this.#sealed, this.#active];
  }

  /** The first offset that can be read. */
  get startOffset(): number {
    return this.#startOffset;
  }

  /** Offset of the next record; also the high watermark, as there is no other replica. */
  get endOffset(): number {
    return this.#active.endOffset;
  }

  /** The last stable offset (LSO): no transaction is open below it. */
  get stableOffset(): number {
    return Math.max(this.#producers.firstOpenOffset ?? this.endOffset, this.#startOffset);
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /**
   * Appends a batch that passed `checkBatch`, and patches its offset into its bytes.
   *
   * @returns its place; for a repeated batch, the place of the first
   * @throws KafkaError by the producer's epoch, sequence and transaction
   */
  append(batch: Buffer, header: BatchHeader, nowMs: number): Appended {
    const repeated = this.#producers.check(header);
    const { isAppendTime } = this.#settings();
    if (repeated !== undefined) return { baseOffset: repeated, appendTimeMs: isAppendTime ? nowMs : -1 };
    if (isAppendTime) stampBatch(batch, nowMs);
    const placed = isAppendTime ? { ...header, maxTimestamp: nowMs } : header;
    const baseOffset = this.#write(batch, placed, nowMs);
    this.#producers.append(placed, baseOffset, placed.maxTimestamp);
    this.#changed(batch.length);
    return { baseOffset, appendTimeMs: isAppendTime ? nowMs : -1 };
  }

  /**
   * Writes the marker that ends the producer's transaction, even if it wrote nothing here.
   *
   * @returns the marker's offset
   * @throws KafkaError INVALID_PRODUCER_EPOCH
   */
  endTransaction(producerId: number, epoch: number, committed: boolean): number {
    this.#producers.checkEnd(producerId, epoch);
    const nowMs = Date.now();
    const batch = endTransactionBatch(producerId, epoch, committed, nowMs);
    const offset = this.#write(batch, readBatchHeader(batch), nowMs);
    const aborted = this.#producers.end(producerId, epoch, committed, offset, nowMs);
    if (aborted !== undefined) this.#active.addAborted(aborted);
    this.#changed(Infinity);
    return offset;
  }

  #write(batch: Buffer, header: BatchHeader, nowMs: number): number {
    if (this.#closed) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    if (this.#mustRoll(batch.length, nowMs)) this.roll();
    const baseOffset = this.endOffset;
    placeBatch(batch, baseOffset, LEADER_EPOCH);
    if (this.#active.sizeBytes === 0) this.#activeSinceMs = nowMs;
    this.#active.append(batch, header, baseOffset);
    return baseOffset;
  }

  #mustRoll(moreBytes: number, nowMs: number): boolean {
    const { segmentBytes, segmentMs } = this.#settings();
    const { sizeBytes } = this.#active;
    return sizeBytes > 0 && (sizeBytes + moreBytes > segmentBytes || nowMs - this.#activeSinceMs > segmentMs);
  }

  /** Seals the active segment and starts another. Has no effect when the active segment is empty. */
  roll(): void {
    const full = this.#active;
    if (full.sizeBytes === 0) return;
    const next = new Segment(this.#folder, full.endOffset);
    this.#producers.expire(Date.now());
    // In this order: a crash in between leaves the full segment as the last one, or its successor with its producers.
    next.saveProducers(JSON.stringify(this.#producers.snapshot()));
    full.seal();
    next.open();
    this.#sealed.push(full);
    this.#active = next;
    this.#activeSinceMs = Infinity;
  }

  /**
   * Whole batches of one segment, beginning with the one that contains the offset.
   *
   * @returns no bytes at the end of the log
   * @throws KafkaError OFFSET_OUT_OF_RANGE
   */
  read({ offset, maxBytes, atLeastOne, committedOnly }: ReadOptions): Buffer {
    if (offset < this.#startOffset || offset > this.endOffset) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `${this.topic}/${this.index} has offsets ${this.#startOffset} to ${this.endOffset}, not ${offset}`,
      );
    }
    const limit = committedOnly ? this.stableOffset : this.endOffset;
    if (offset >= limit) return Buffer.alloc(0);
    // Negative when the other partitions of the answer used up more than its limit.
    return this.#segmentOf(offset).read(offset, limit, Math.max(maxBytes, 0), atLeastOne);
  }

  /** Aborted transactions with records or their marker in `[from, upTo)`. */
  abortedBetween(from: number, upTo: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = [];
    for (const segment of this.#segments) {
      if (segment.endOffset <= from) continue;
      for (const transaction of segment.aborted()) {
        if (transaction.lastOffset >= from && transaction.firstOffset < upTo) found.push(transaction);
        // Later segments can only end transactions at later offsets.
        if (transaction.lastStableOffset >= upTo) return found;
      }
    }
    return found;
  }

  /** See `firstAtTime`. */
  firstAtTime(timestamp: number): RecordPlace | undefined {
    return firstAtTime(this.#segments, timestamp, this.#startOffset);
  }

  /** See `latestByTime`. */
  latestByTime(): RecordPlace | undefined {
    return latestByTime(this.#segments, this.#startOffset);
  }

  /** @throws KafkaError OFFSET_OUT_OF_RANGE */
  deleteBefore(offset: number): void {
    if (offset < this.#startOffset || offset > this.endOffset) throw new KafkaError('OFFSET_OUT_OF_RANGE');
    this.#startOffset = offset;
    // An empty active segment keeps the end offset when all records are deleted.
    if (offset === this.endOffset) this.roll();
    this.#removeOldest(this.#sealed.filter(({ endOffset }) => endOffset <= offset).length);
  }

  /** Deletes whole segments that exceed the topic's retention, oldest first. */
  applyRetention(nowMs: number): void {
    this.#producers.expire(nowMs);
    const settings = this.#settings();
    // The active segment is sealed first when it is due.
    if (outlived(this.#segments, settings, nowMs) > this.#sealed.length) this.roll();
    this.#removeOldest(outlived(this.#sealed, settings, nowMs));
    this.#startOffset = Math.max(this.#startOffset, this.#first.baseOffset);
  }

  #removeOldest(count: number): void {
    for (const segment of this.#sealed.splice(0, count)) segment.remove();
  }

  activeProducers(): ActiveProducer[] {
    return this.#producers.active();
  }

  /**
   * Calls back with the bytes of each batch that is appended; with Infinity when a transaction ends, which may make
   * any number of bytes readable, and when the partition is closed.
   *
   * @returns the function that unsubscribes
   */
  onChanged(listener: (bytes: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  sync(): void {
    this.#active.sync();
  }

  close(): void {
    this.#closed = true;
    this.#active.close();
    this.#changed(Infinity);
  }

  remove(): void {
    this.close();
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  #changed(bytes: number): void {
    for (const listener of this.#listeners) listener(bytes);
  }

  #segmentOf(offset: number): Segment {
    if (offset >= this.#active.baseOffset) return this.#active;
    return this.#sealed.findLast((segment) => segment.baseOffset <= offset) ?? this.#first;
  }
}
