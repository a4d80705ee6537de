import type { RecordId } from '../../domain/orders/order.ts';
import type { Batch, Broker, BrokerRecord } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec, Decoded } from '../../ports/codec.ts';
import type { RecordFingerprint } from '../../ports/record.ts';
import type { Changes, Outgoing, Snapshot, Source, Store, StoredPosition } from '../../ports/store.ts';
import type { Outcome, Processor, Received } from '../../processors/processor.ts';
import { deadLetter } from './dead-letters.ts';
import { DecodingAhead } from './decoding-ahead.ts';
import type { DeadLettered, RunEvent, RunProcessorOptions } from './events.ts';
import { Outbox } from './outbox.ts';
import { untilAvailable, waitOf } from './wait.ts';

export interface BatchRunnerParts<M, R extends Outcome> {
  readonly processor: Processor<M, R>;
  readonly store: Store;
  readonly codec: Codec<M>;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly options: Pick<RunProcessorOptions<M, R>, 'dlqTopic' | 'group' | 'untilEnd' | 'maxMessages'> & {
    readonly on: (event: Extract<RunEvent<M, R>, { kind: ReportedKind }>) => void;
  };
  /** By partition; kept in step with the store. */
  readonly positions: Map<number, StoredPosition>;
  readonly stop: AbortController;
}

type ReportedKind = 'batch' | 'undelivered' | 'waiting' | 'resumed';
type Result<R> = R | DeadLettered;

/** What a commit came to: no results when the position in force is not the one the batch was read for. */
interface Stored<R> {
  readonly results: readonly Result<R>[] | null;
  readonly position: StoredPosition | undefined;
}

/** A batch in, one commit out: decode, decide, store with the new position, then send what the decisions caused. */
export class BatchRunner<M, R extends Outcome> {
  readonly #parts: BatchRunnerParts<M, R>;
  readonly #decoder: DecodingAhead<M>;
  readonly #outbox: Outbox;
  #read = 0;

  constructor(parts: BatchRunnerParts<M, R>) {
    this.#parts = parts;
    this.#decoder = new DecodingAhead(parts.codec);
    this.#outbox = new Outbox(parts);
  }

  /** Records that were committed. */
  get read(): number {
    return this.#read;
  }

  /** @returns the offset to read next: where the batch ends, or the position in force when it is not for us */
  async process(batch: Batch): Promise<number> {
    const { positions, options } = this.#parts;
    const expected = positions.get(batch.partition)?.next ?? null;
    const { from, records, next } = portion(batch, expected, (options.maxMessages ?? Infinity) - this.#read);
    const decode = this.#decoder.of(records);
    if (next === expected) return next;

    const decoded = await untilAvailable(decode, waitOf(this.#parts, 'registry'));
    if (decoded === undefined) return expected ?? records[0]?.offset ?? batch.next;

    const last = records.length === 0 ? null : batch.fingerprint(from + records.length - 1);
    const stored = await this.#store(batch, records, decoded, { expected, next, last });
    if (stored.results === null) return stored.next;
    this.#read += records.length;
    options.on({ kind: 'batch', partition: batch.partition, decoded, results: stored.results, next });
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
    decoded: readonly Decoded<M>[],
    position: { expected: number | null; next: number; last: RecordFingerprint | null },
  ): Promise<{ results: Stored<R>['results']; next: number }> {
    const { processor, store, positions } = this.#parts;
    const { topic, partition } = batch;
    const of = { processor: processor.name, topic, partition };
    const received: Received<M>[] = [];
    for (let i = 0; i < records.length; i++) {
      const entry = decoded[i];
      const record = records[i];
      if (entry?.kind === 'message' && record !== undefined) {
        received.push({
          message: entry.value,
          record: { topic, partition, offset: record.offset },
          source: processor.sources[0]?.name ?? topic,
          traceparent: null,
        });
      }
    }
    const { expected, next } = position;
    const stored: StoredPosition = {
      ...of,
      next,
      last: position.last ?? positions.get(batch.partition)?.last ?? null,
      clusterId: batch.clusterId,
    };
    const keys = { ...processor.keys(received), positions: [of] };
    const outcome = await store.transact<Stored<R>>(keys, (snapshot) => {
      const inForce = snapshot.position(of)?.next ?? null;
      if (inForce !== expected)
        return { changes: {}, result: { results: null, position: snapshot.position(of) } };
      const { changes, results } = this.#decide(received, records, decoded, of, snapshot);
      return { changes: { ...changes, positions: [stored] }, result: { results, position: stored } };
    });
    if (outcome.position !== undefined) positions.set(batch.partition, outcome.position);
    return { results: outcome.results, next: outcome.position?.next ?? next };
  }

  #decide(
    received: readonly Received<M>[],
    records: readonly BrokerRecord[],
    decoded: readonly Decoded<M>[],
    of: Source,
    snapshot: Snapshot,
  ): { changes: Changes; results: readonly Result<R>[] } {
    const { processor, options } = this.#parts;
    const { changes, results: decided } = processor.decide(received, snapshot);
    if (received.length === records.length) return { changes, results: decided };

    const { dlqTopic, group } = options;
    const outgoing: Outgoing[] = [...(changes.outgoing ?? [])];
    const results: Result<R>[] = [];
    let taken = 0;
    for (let i = 0; i < records.length; i++) {
      const entry = decoded[i];
      const record = records[i];
      const result = decided[taken];
      if (entry?.kind === 'dead_letter' && record !== undefined) {
        const id: RecordId = { topic: of.topic, partition: of.partition, offset: record.offset };
        outgoing.push(deadLetter(record, id, entry, { dlqTopic, group, failedAt: snapshot.at }));
        results.push({ kind: 'dead_letter', record: id, code: entry.code, message: entry.message });
      } else if (result !== undefined) {
        results.push(result);
        taken += 1;
      }
    }
    return { changes: { ...changes, outgoing }, results };
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
