import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Batch, BrokerRecord } from '../../../ports/broker.ts';
import type { TopicPartition } from '../../../ports/store.ts';
import { badBatch } from '../protocol/errors.ts';
import type { Portion } from '../protocol/fetched-partition.ts';
import { fingerprintIn } from '../protocol/fingerprint.ts';
import { BadBatchError } from '../protocol/record-batch.ts';
import type { Fetcher, Ready } from './fetcher.ts';

export interface DeliveryOptions {
  readonly fetcher: Fetcher;
  readonly signal: AbortSignal;
  readonly clusterId: () => string;
  readonly onBatch: (batch: Batch) => Promise<number>;
  readonly onNext: ((records: readonly BrokerRecord[], of: TopicPartition) => void) | undefined;
  /** Called when the handler is done with a batch and wants to continue at this offset. */
  readonly onDone: (of: TopicPartition, wanted: number) => void;
}

/** Hands batches to the handler one after another, and the records that follow while it works. */
export class Delivery {
  readonly #options: DeliveryOptions;
  #inHand: { readonly of: TopicPartition; readonly done: Promise<void> } | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Delivers the next portion of an answer. @throws Failure invalid_input; whatever the handler rejects with */
  async next({ of, data }: Ready): Promise<void> {
    const { fetcher } = this.#options;
    let portion: Portion | undefined;
    try {
      portion = data.take();
    } catch (error) {
      throw error instanceof BadBatchError ? badBatch(of.topic, of.partition, error) : error;
    }
    if (data.isExhausted) fetcher.finish(of, data.next);
    if (portion === undefined) return;
    let release: () => void = () => undefined;
    this.#inHand = { of, done: new Promise((resolve) => (release = resolve)) };
    try {
      await this.#deliver(of, data.highWatermark, portion);
    } finally {
      this.#inHand = undefined;
      release();
    }
  }

  /** Resolves when no batch of these partitions is being processed. */
  async released(partitions: readonly TopicPartition[]): Promise<void> {
    const { of, done } = this.#inHand ?? {};
    const isMeant = partitions.some((one) => one.topic === of?.topic && one.partition === of.partition);
    if (isMeant) await done;
  }

  async #deliver(of: TopicPartition, highWatermark: number, { records, next }: Portion): Promise<void> {
    const { fetcher, clusterId, onBatch, onDone } = this.#options;
    fetcher.hold(of);
    const working = onBatch({
      ...of,
      records,
      next,
      highWatermark,
      clusterId: clusterId(),
      fingerprint: fingerprintIn(records),
    });
    await this.#lookAhead(working);
    const wanted = await working;
    if (wanted !== next) fetcher.seek(of, wanted);
    onDone(of, wanted);
    fetcher.hold(undefined);
  }

  /** Reads the records that follow as soon as `working` waits for something, mostly for the disk. */
  async #lookAhead(working: Promise<number>): Promise<void> {
    const { fetcher, signal, onNext } = this.#options;
    // It is awaited later and may have failed by then.
    working.catch(() => undefined);
    await nextTurn();
    const next = fetcher.peek();
    if (next === undefined || signal.aborted) return;
    const records = next.data.lookAhead();
    if (records.length > 0) onNext?.(records, next.of);
  }
}
