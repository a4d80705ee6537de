import { type BatchHeader } from '../wire/record-batch.ts';
import { KafkaError } from '../wire/errors.ts';

/** Batches that an idempotent producer may have in flight: repetitions of these are recognised. */
const REMEMBERED_BATCHES = 5;
/** Producers that wrote nothing for this long are forgotten, as in Kafka (producer.id.expiration.ms). */
const EXPIRES_AFTER_MS = 24 * 3_600_000;
const MAX_SEQUENCE = 2 ** 31 - 1;

interface WrittenBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly timestamp: number;
}

interface Producer {
  epoch: number;
  /** The newest last. */
  batches: WrittenBatch[];
  lastTimestamp: number;
}

/** A producer of a partition, for DescribeProducers. */
export interface ActiveProducer {
  readonly producerId: number;
  readonly epoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  /** First offset of its open transaction, or -1. */
  readonly transactionStart: number;
}

/** An aborted transaction, which read_committed consumers skip. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** The marker's offset. */
  readonly lastOffset: number;
  /** Below it every transaction had ended when the marker was written. */
  readonly lastStableOffset: number;
}

/** The JSON form of `ProducerStates`. */
export interface ProducerSnapshot {
  readonly producers: readonly (readonly [producerId: number, producer: Producer])[];
  readonly open: readonly (readonly [producerId: number, firstOffset: number])[];
}

/**
 * Producers of one partition: their sequences, epochs and open transactions (KIP-98). `check` decides whether a batch
 * may be written, `append` records that it was; recovery replays the log through `append`.
 */
export class ProducerStates {
  readonly #producers: Map<number, Producer>;
  /** In the order in which they began: the first bounds the last stable offset. */
  readonly #open: Map<number, number>;

  constructor(snapshot: ProducerSnapshot = { producers: [], open: [] }) {
    this.#producers = new Map(snapshot.producers);
    this.#open = new Map(snapshot.open);
  }

  snapshot(): ProducerSnapshot {
    return { producers: [...this.#producers], open: [...this.#open] };
  }

  /** First offset of the oldest open transaction. */
  get firstOpenOffset(): number | undefined {
    return this.#open.values().next().value;
  }

  isOpen(producerId: number): boolean {
    return this.#open.has(producerId);
  }

  /**
   * @returns the first offset of the batch if it was already written
   * @throws KafkaError INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER or INVALID_TXN_STATE
   */
  check(batch: BatchHeader): number | undefined {
    const { producerId, producerEpoch, baseSequence } = batch;
    if (producerId < 0) return undefined;
    const known = this.#producers.get(producerId);
    if (known !== undefined) {
      if (producerEpoch < known.epoch) {
        throw new KafkaError(
          'INVALID_PRODUCER_EPOCH',
          `producer ${producerId} wrote with epoch ${producerEpoch}, but its epoch is now ${known.epoch}`,
        );
      }
      const lastSequence = sequenceAfter(baseSequence, batch.lastOffsetDelta);
      const same = known.batches.find(
        (one) => one.firstSequence === baseSequence && one.lastSequence === lastSequence,
      );
      if (producerEpoch === known.epoch && same !== undefined) return same.firstOffset;
      const expected = expectedSequence(known, producerEpoch);
      if (baseSequence !== expected) {
        throw new KafkaError(
          'OUT_OF_ORDER_SEQUENCE_NUMBER',
          `producer ${producerId} sent sequence ${baseSequence} but ${expected} was expected`,
        );
      }
    }
    if (!batch.isTransactional && this.#open.has(producerId)) {
      throw new KafkaError('INVALID_TXN_STATE', `producer ${producerId} wrote outside its open transaction`);
    }
    return undefined;
  }

  append(batch: BatchHeader, baseOffset: number, timestamp: number): void {
    const { producerId, producerEpoch, baseSequence, lastOffsetDelta } = batch;
    if (producerId < 0) return;
    const known = this.#producerAt(producerId, producerEpoch);
    known.batches.push({
      firstSequence: baseSequence,
      lastSequence: sequenceAfter(baseSequence, lastOffsetDelta),
      firstOffset: baseOffset,
      lastOffset: baseOffset + lastOffsetDelta,
      timestamp,
    });
    if (known.batches.length > REMEMBERED_BATCHES) known.batches.shift();
    known.lastTimestamp = timestamp;
    if (batch.isTransactional && !this.#open.has(producerId)) this.#open.set(producerId, baseOffset);
  }

  /** @throws KafkaError INVALID_PRODUCER_EPOCH when a newer producer has written already */
  checkEnd(producerId: number, epoch: number): void {
    const known = this.#producers.get(producerId);
    if (known !== undefined && epoch < known.epoch) {
      throw new KafkaError(
        'INVALID_PRODUCER_EPOCH',
        `producer ${producerId} ended a transaction with epoch ${epoch}, but its epoch is now ${known.epoch}`,
      );
    }
  }

  /**
   * Records a marker at `offset`.
   *
   * @returns the aborted transaction; undefined when it committed or none was open
   */
  end(
    producerId: number,
    epoch: number,
    committed: boolean,
    offset: number,
    timestamp: number,
  ): AbortedTransaction | undefined {
    this.#producerAt(producerId, epoch).lastTimestamp = timestamp;
    const firstOffset = this.#open.get(producerId);
    this.#open.delete(producerId);
    if (committed || firstOffset === undefined) return undefined;
    return {
      producerId,
      firstOffset,
      lastOffset: offset,
      lastStableOffset: this.firstOpenOffset ?? offset + 1,
    };
  }

  /** Forgets producers silent for a day without an open transaction. */
  expire(nowMs: number): void {
    for (const [producerId, { lastTimestamp }] of this.#producers) {
      if (nowMs - lastTimestamp > EXPIRES_AFTER_MS && !this.#open.has(producerId)) {
        this.#producers.delete(producerId);
      }
    }
  }

  active(): ActiveProducer[] {
    return [...this.#producers].map(([producerId, { epoch, batches, lastTimestamp }]) => ({
      producerId,
      epoch,
      lastSequence: batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp,
      transactionStart: this.#open.get(producerId) ?? -1,
    }));
  }

  /** A new epoch begins without batches. */
  #producerAt(producerId: number, epoch: number): Producer {
    const known = this.#producers.get(producerId);
    if (known?.epoch === epoch) return known;
    const fresh: Producer = { epoch, batches: [], lastTimestamp: -1 };
    this.#producers.set(producerId, fresh);
    return fresh;
  }
}

/** Sequences wrap to 0 after 2^31-1. */
function sequenceAfter(sequence: number, by: number): number {
  return (sequence + by) % (MAX_SEQUENCE + 1);
}

function expectedSequence(known: Producer, epoch: number): number {
  const last = epoch === known.epoch ? known.batches.at(-1) : undefined;
  return last === undefined ? 0 : sequenceAfter(last.lastSequence, 1);
}
