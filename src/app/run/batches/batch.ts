import { Failure } from '../../../domain/failure.ts';
import type { DeclaredMessage } from '../../../domain/messages/message.ts';
import { recordTime, type RecordId } from '../../../domain/orders/order.ts';
import type { Batch, BrokerRecord } from '../../../ports/broker.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Tracer } from '../../../ports/outside/tracer.ts';
import type { Codec, Decoded } from '../../../ports/codec.ts';
import { headerText, lastHeaderOf, type RecordFingerprint } from '../../../ports/record.ts';
import type { Changes, Outgoing, Snapshot, Source, Store, StoredPosition } from '../../../ports/store.ts';
import type { Outcome, Received, Refused } from '../../../processors/processor.ts';
import { deadLetter } from './dead-letters.ts';
import { traceparentOf } from '../../tracing/cause.ts';
import { DecodingAhead } from './decoding-ahead.ts';
import type { Committed, DeadLettered, Service } from '../events.ts';
import { BatchSpans } from './spans.ts';
import type { EffectWorkers } from '../effect-workers.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Waits } from '../wait.ts';

export interface BatchRunnerParts<M, R extends Outcome> {
  readonly service: Service<M, R>;
  /** The message that is read. */
  readonly source: DeclaredMessage;
  /** null: another processor of this run that reads the topic sends its dead letters. */
  readonly dlqTopic: string | null;
  readonly store: Store;
  readonly codec: Codec<M>;
  readonly outbox: Outbox;
  readonly effects: Pick<EffectWorkers, 'keepUp'>;
  readonly waits: Waits;
  /** The positions in the topic, by partition; kept in sync with the store. */
  readonly positions: Map<number, StoredPosition>;
  readonly quota: Quota;
  readonly clock: Clock;
  /** Absent: no spans are recorded. */
  readonly tracer?: Tracer | undefined;
  /** Called after each commit. */
  readonly onCommitted: (committed: Committed) => void;
}

/** How many more records a run may read, over all topics. */
export class Quota {
  left: number;

  constructor(records: number | null) {
    this.left = records ?? Infinity;
  }
}

type Result<R> = R | DeadLettered;

/** The result of a commit: `results` is null when the stored position is not the one that the batch was read for. */
interface Stored<R> {
  readonly results: readonly Result<R>[] | null;
  readonly position: StoredPosition;
}

/** Processes a batch in one commit: decode, decide, store with the new position, then send the resulting messages. */
export class BatchRunner<M, R extends Outcome> {
  readonly #parts: BatchRunnerParts<M, R>;
  readonly #decoder: DecodingAhead<M>;
  /** Whether records lead to messages or outside calls, which belong to the same trace. */
  readonly #leadsOn: boolean;
  readonly #keepsRaw: boolean;
  /** Whether a record redriven to this topic may be for another group. */
  readonly #sharesRedriven: boolean;

  constructor(parts: BatchRunnerParts<M, R>) {
    this.#parts = parts;
    this.#decoder = new DecodingAhead(parts.codec);
    const { emits, effects, keepsRaw } = parts.service.processor;
    this.#keepsRaw = keepsRaw === true;
    this.#leadsOn = emits.length > 0 || effects !== undefined;
    this.#sharesRedriven = parts.source.readers.length > 1 || effects !== undefined;
  }

  /** @returns the offset to read next: the end of the batch, or the stored position when the batch did not match it */
  async process(batch: Batch): Promise<number> {
    const { positions, quota, service, source, waits, outbox, effects } = this.#parts;
    const expected = positions.get(batch.partition)?.next ?? null;
    const { from, records, next } = portion(batch, expected, quota.left);
    const decode = this.#decoder.of(records);
    if (next === expected) return next;

    const decoded = await waits.untilAvailable(['registry'], decode);
    if (decoded === undefined) return expected ?? records[0]?.offset ?? batch.next;

    const last = records.length === 0 ? null : batch.fingerprint(from + records.length - 1);
    const spans = this.#spansOf(batch, records);
    const askedAt = performance.now();
    const received = this.#received(batch, records, decoded, spans);
    const stored = await this.#store(batch, { records, decoded, received }, { expected, next, last });
    const { results } = stored;
    if (results === null) return stored.next;
    quota.left -= records.length;
    service.tally.add(results);
    spans?.end(results);
    const commitSeconds = (performance.now() - askedAt) / 1000;
    this.#parts.onCommitted({
      records: results.length,
      commitSeconds,
      latencySeconds: this.#since(records[0]),
    });
    service.onBatch?.({ source, partition: batch.partition, decoded, results, next });
    await outbox.sendAfterBatch(this.#decoder.isAhead);
    await effects.keepUp(service.processor.name);
    return next;
  }

  #spansOf({ topic, partition }: Batch, records: readonly BrokerRecord[]): BatchSpans | undefined {
    const { tracer, service, clock } = this.#parts;
    if (tracer === undefined) return undefined;
    const { processor, group } = service;
    const of = { processor: processor.name, group, topic, partition, records };
    return new BatchSpans(tracer, of, clock);
  }

  /** Measured once per batch: the first record has waited longest. */
  #since(record: BrokerRecord | undefined): number | null {
    const at = record === undefined ? null : recordTime(record.timestamp);
    return at === null ? null : Math.max(0, this.#parts.clock.now() - at) / 1000;
  }

  /** Decodes records that are likely to come next, while the previous batch is being stored. */
  expect(records: readonly BrokerRecord[]): void {
    this.#decoder.expect(records);
  }

  async #store(
    batch: Batch,
    {
      records,
      decoded,
      received,
    }: {
      readonly records: readonly BrokerRecord[];
      readonly decoded: readonly Decoded<M>[];
      readonly received: readonly Received<M>[];
    },
    position: { expected: number | null; next: number; last: RecordFingerprint | null },
  ): Promise<{ results: Stored<R>['results']; next: number }> {
    const { service, store, positions } = this.#parts;
    const { processor } = service;
    const { topic, partition } = batch;
    const of = { processor: processor.name, topic, partition };
    const { expected, next } = position;
    const stored: StoredPosition = {
      ...of,
      next,
      last: position.last ?? positions.get(batch.partition)?.last ?? null,
      clusterId: batch.clusterId,
    };
    const keys = { ...processor.keys(received), positions: [of] };
    const outcome = await store.transact<Stored<R>>(keys, (snapshot) => {
      const inForce = snapshot.position(of);
      checkCluster(inForce, batch);
      if (inForce === undefined && expected !== null) throw forgotten(batch, expected);
      if (inForce !== undefined && inForce.next !== expected)
        return { changes: {}, result: { results: null, position: inForce } };
      const { changes, results } = this.#decide(received, records, decoded, of, snapshot);
      return { changes: { ...changes, positions: [stored] }, result: { results, position: stored } };
    });
    positions.set(batch.partition, outcome.position);
    return { results: outcome.results, next: outcome.position.next };
  }

  #received(
    { topic, partition }: Batch,
    records: readonly BrokerRecord[],
    decoded: readonly Decoded<M>[],
    spans: BatchSpans | undefined,
  ): Received<M>[] {
    const { name: source } = this.#parts.source;
    const received: Received<M>[] = [];
    for (let i = 0; i < records.length; i++) {
      const entry = decoded[i];
      const record = records[i];
      if (entry?.kind !== 'message' || record === undefined) continue;
      const traceparent = spans?.traceparentOf(i) ?? this.#causeOf(record);
      const place = { topic, partition, offset: record.offset };
      // No spread where none is needed: see newEffect.
      const read: Received<M> = { message: entry.value, record: place, source, traceparent };
      const one = this.#keepsRaw ? { ...read, raw: toBase64(record) } : read;
      received.push(this.#isForOthers(record) ? { ...one, isForOthers: true } : one);
    }
    return received;
  }

  /** As traceparentOf, if it is needed. */
  #causeOf(record: BrokerRecord): string | null {
    return this.#leadsOn ? traceparentOf(record) : null;
  }

  #isForOthers(record: BrokerRecord): boolean {
    if (!this.#sharesRedriven) return false;
    const group = headerText(lastHeaderOf(record, 'x-original-group'));
    const { group: own, processor } = this.#parts.service;
    // The record may have been sent before the group was renamed.
    return group !== null && group !== own && !group.endsWith(`.${processor.name}`);
  }

  #decide(
    received: readonly Received<M>[],
    records: readonly BrokerRecord[],
    decoded: readonly Decoded<M>[],
    of: Source,
    snapshot: Snapshot,
  ): { changes: Changes; results: readonly Result<R>[] } {
    const { service, dlqTopic } = this.#parts;
    const { changes, results: decided } = service.processor.decide(received, snapshot);
    if (received.length === records.length && !decided.some(isRefused)) return { changes, results: decided };

    const { group } = service;
    const outgoing: Outgoing[] = [...(changes.outgoing ?? [])];
    const results: Result<R>[] = [];
    let taken = 0;
    for (let i = 0; i < records.length; i++) {
      const entry = decoded[i];
      const record = records[i];
      if (entry === undefined || record === undefined) continue;
      const result = entry.kind === 'message' ? decided[taken++] : entry;
      if (result === undefined) continue;
      if (!isRefused(result)) {
        results.push(result);
        continue;
      }
      const id: RecordId = { topic: of.topic, partition: of.partition, offset: record.offset };
      const { code, message } = result;
      const why = { code, message, stage: entry.kind === 'message' ? APPLY_STAGE : entry.stage };
      if (dlqTopic !== null)
        outgoing.push(deadLetter(record, id, why, { dlqTopic, group, failedAt: snapshot.at }));
      results.push({ kind: 'dead_letter', record: id, code, message });
    }
    return { changes: { ...changes, outgoing }, results };
  }
}

const toBase64 = ({ value }: BrokerRecord): string => Buffer.from(value ?? []).toString('base64');

/** `x-error-stage` of a record that was decoded but that the processor cannot apply. */
const APPLY_STAGE = 'apply';

type Dead = Pick<DeadLettered, 'kind' | 'code' | 'message'>;

function isRefused(result: Outcome | Refused): result is Dead {
  return result.kind === 'dead_letter';
}

/**
 * Positions are compared with the topic at each join; another process may have stored this position since.
 *
 * @throws Failure topic_changed
 */
function checkCluster(position: StoredPosition | undefined, { topic, partition, clusterId }: Batch): void {
  const read = position?.clusterId ?? null;
  if (read === null || read === clusterId) return;
  throw new Failure(
    'topic_changed',
    `${topic}/${partition} is read from cluster ${read} by another process, and from cluster ${clusterId} by this one`,
    { fix: { kind: 'other_cluster' }, context: { topic, partition } },
  );
}

/** The position to resume from is only determined at a start, and the restored store's is not known here. */
function forgotten({ topic, partition }: Batch, expected: number): Failure {
  return new Failure(
    'corrupt_state',
    `the store no longer has a position for ${topic}/${partition}, which was read up to ${expected}: the store was restored to an earlier state`,
    { fix: 'start this run again', context: { topic, partition, offset: expected } },
  );
}

/**
 * The records of a batch that are to be processed: none before the position in force, and at most `room`. `next` is the
 * offset after them, or that of the whole batch when no record is left over.
 */
function portion(
  batch: Batch,
  expected: number | null,
  room: number,
): { from: number; records: readonly BrokerRecord[]; next: number } {
  const from = expected === null ? 0 : firstAtOrAfter(batch.records, expected);
  const to = Math.min(from + room, batch.records.length);
  // The same array if it is the whole batch: decoding ahead recognizes it.
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
