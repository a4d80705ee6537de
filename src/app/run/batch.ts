import { decideAll, type Decided } from '../../domain/orders/decide.ts';
import type { Order, RecordId } from '../../domain/orders/order.ts';
import type { Batch, Broker, BrokerRecord } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DecodedRecord, OrderCodec } from '../../ports/codec.ts';
import type {
  Changes,
  Keys,
  Outgoing,
  Position,
  Snapshot,
  Store,
  TopicPartition,
} from '../../ports/store.ts';
import type { RecordFingerprint } from '../../ports/record.ts';
import type { ConsumeOptions, RecordResult } from './events.ts';
import { deadLetter } from './dead-letters.ts';
import { DecodingAhead } from './decoding-ahead.ts';
import { Outbox } from './outbox.ts';
import { Tally, type Counts } from './tally.ts';
import { untilAvailable, waitOf } from './wait.ts';

export interface BatchProcessorParts {
  readonly store: Store;
  readonly codec: OrderCodec;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly options: ConsumeOptions;
  /** By partition; kept in step with the store. */
  readonly positions: Map<number, Position>;
  readonly stop: AbortController;
}

/** What a commit came to: no results when the position in force is not the one the batch was read for. */
interface Stored {
  readonly results: RecordResult[] | null;
  readonly position: Position | undefined;
}

/** A batch in, one commit out: decode, decide, store with the new position, then send what the decisions caused. */
export class BatchProcessor {
  readonly #parts: BatchProcessorParts;
  readonly #decoder: DecodingAhead;
  readonly #outbox: Outbox;
  readonly #tally = new Tally();

  constructor(parts: BatchProcessorParts) {
    this.#parts = parts;
    this.#decoder = new DecodingAhead(parts.codec);
    this.#outbox = new Outbox(parts);
  }

  counts(): Counts {
    return this.#tally.counts();
  }

  /** @returns the offset to read next: where the batch ends, or the position in force when it is not for us */
  async process(batch: Batch): Promise<number> {
    const { positions, options } = this.#parts;
    const expected = positions.get(batch.partition)?.next ?? null;
    const { from, records, next } = portion(
      batch,
      expected,
      (options.maxMessages ?? Infinity) - this.#tally.read,
    );
    const decode = this.#decoder.of(records);
    if (next === expected) return next;

    const decoded = await untilAvailable(decode, waitOf(this.#parts, 'registry'));
    if (decoded === undefined) return expected ?? records[0]?.offset ?? batch.next;

    const last = records.length === 0 ? null : batch.fingerprint(from + records.length - 1);
    const stored = await this.#store(batch, records, decoded, { expected, next, last });
    if (stored.results === null) return stored.next;
    this.#tally.add(stored.results);
    this.#reportIgnored(batch, records, decoded);
    options.on({ kind: 'batch', partition: batch.partition, results: stored.results, next });
    await this.#outbox.sendAfterBatch(this.#decoder.isAhead);
    return next;
  }

  /** Decodes records that are likely to come next, while the batch before them is being stored. */
  expect(records: readonly BrokerRecord[]): void {
    this.#decoder.expect(records);
  }

  /** Begins to send what a crash left behind: decisions wait for it no longer than for what they cause themselves. */
  begin(): Promise<void> {
    return this.#outbox.begin();
  }

  /** Sends what is waiting to be sent, if anything. */
  drain(): Promise<void> {
    return this.#outbox.drain();
  }

  close(): Promise<void> {
    return this.#outbox.close();
  }

  async #store(
    batch: Batch,
    records: readonly BrokerRecord[],
    decoded: readonly DecodedRecord[],
    position: { expected: number | null; next: number; last: RecordFingerprint | null },
  ): Promise<{ results: RecordResult[] | null; next: number }> {
    const { store, positions, options } = this.#parts;
    const { topic, partition } = batch;
    const of = { topic, partition };
    const orders: { order: Order; record: RecordId }[] = [];
    for (let i = 0; i < records.length; i++) {
      const entry = decoded[i];
      const record = records[i];
      if (entry?.kind === 'message' && record !== undefined) {
        orders.push({ order: entry.value, record: { topic, partition, offset: record.offset } });
      }
    }
    const { expected, next } = position;
    const stored: Position = {
      ...of,
      next,
      last: position.last ?? positions.get(batch.partition)?.last ?? null,
      clusterId: batch.clusterId,
    };
    const outcome = await store.transact<Stored>(keysOf(orders, of), (snapshot) => {
      const inForce = snapshot.position(of)?.next ?? null;
      if (inForce !== expected)
        return { changes: {}, result: { results: null, position: snapshot.position(of) } };
      const { changes, results } = decideBatch(orders, records, decoded, of, snapshot, options);
      return { changes: { ...changes, positions: [stored] }, result: { results, position: stored } };
    });
    if (outcome.position !== undefined) positions.set(batch.partition, outcome.position);
    if (outcome.results !== null) this.#tally.addCommit();
    return { results: outcome.results, next: outcome.position?.next ?? next };
  }

  #reportIgnored(
    { topic, partition }: Batch,
    records: readonly BrokerRecord[],
    decoded: readonly DecodedRecord[],
  ): void {
    decoded.forEach((entry, index) => {
      const record = records[index];
      if (entry.kind !== 'message' || entry.ignored === undefined || record === undefined) return;
      this.#tally.addIgnoredPrices(entry.ignored.count);
      this.#parts.options.on({
        kind: 'prices_ignored',
        record: { topic, partition, offset: record.offset },
        orderId: entry.value.orderId,
        ignored: entry.ignored,
      });
    });
  }
}

/**
 * The records of a batch that are to be processed: none before the position in force, and no more than `room`.
 * `next` is the offset after them, which is that of the whole batch when nothing is left over.
 */
function portion(
  batch: Batch,
  expected: number | null,
  room: number,
): { from: number; records: readonly BrokerRecord[]; next: number } {
  const from = expected === null ? 0 : firstAtOrAfter(batch.records, expected);
  const to = Math.min(from + room, batch.records.length);
  // The same array where it is all of them, by which it is known again.
  const records = from === 0 && to === batch.records.length ? batch.records : batch.records.slice(from, to);
  const leftOver = batch.records[to];
  const next = leftOver === undefined ? batch.next : leftOver.offset;
  return { from, records, next: Math.max(next, expected ?? 0) };
}

function firstAtOrAfter(records: readonly BrokerRecord[], offset: number): number {
  const first = records[0];
  if (first === undefined || first.offset >= offset) return 0;
  const found = records.findIndex((record) => record.offset >= offset);
  return found === -1 ? records.length : found;
}

/** Keys on demand: a store that holds its tables in memory never asks for users and items. */
function keysOf(orders: readonly { order: Order }[], of: TopicPartition): Keys {
  return {
    users: onDemand(function* () {
      for (const { order } of orders) yield order.user;
    }),
    items: onDemand(function* () {
      for (const { order } of orders) for (const line of order.items) yield line.item;
    }),
    orders: onDemand(function* () {
      for (const { order } of orders) yield order.orderId;
    }),
    partitions: [of],
  };
}

function onDemand<T>(generate: () => Generator<T>): Iterable<T> {
  return { [Symbol.iterator]: generate };
}

function decideBatch(
  orders: readonly { order: Order; record: RecordId }[],
  records: readonly BrokerRecord[],
  decoded: readonly DecodedRecord[],
  of: TopicPartition,
  snapshot: Snapshot,
  options: ConsumeOptions,
): { changes: Changes; results: RecordResult[] } {
  const decisions = decideAll(orders, snapshot, snapshot.at);
  const first: Decided[] = [];
  for (const decision of decisions) if (decision.kind === 'decided') first.push(decision.decided);
  if (orders.length === records.length) return { changes: { decisions: first }, results: decisions };

  const outgoing: Outgoing[] = [];
  const results: RecordResult[] = [];
  let taken = 0;
  for (let i = 0; i < records.length; i++) {
    const entry = decoded[i];
    const record = records[i];
    const decision = decisions[taken];
    if (entry?.kind === 'dead_letter' && record !== undefined) {
      const id: RecordId = { ...of, offset: record.offset };
      const { dlqTopic, group } = options;
      outgoing.push(deadLetter(record, id, entry, { dlqTopic, group, failedAt: snapshot.at }));
      results.push({ kind: 'dead_letter', record: id, code: entry.code, message: entry.message });
    } else if (decision !== undefined) {
      results.push(decision);
      taken += 1;
    }
  }
  return { changes: { decisions: first, outgoing }, results };
}
