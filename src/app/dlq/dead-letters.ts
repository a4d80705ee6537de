import type { DeadLetterAction, MarkedDeadLetter } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { formatDeadLetterId, type DeadLetterId } from '../../domain/topics/dead-letter-id.ts';
import { recordTime } from '../../domain/orders/order.ts';
import type { BrokerAdmin, PartitionRange } from '../../ports/broker.ts';
import type { Headers } from '../../ports/record.ts';
import type { StoreReader } from '../../ports/store.ts';
import { readOrigin, type DeadLetterOrigin } from './headers.ts';

export const DEAD_LETTER_STATES = ['open', 'redriven', 'discarded'] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];

/** A dead letter. Key, value and headers are views on fetched bytes: good until the next chunk. */
export interface DeadLetter {
  readonly id: DeadLetterId;
  /** Identifies it in the log of edits. */
  readonly mark: MarkedDeadLetter;
  readonly state: DeadLetterState;
  readonly origin: DeadLetterOrigin;
  /** Milliseconds since the epoch: as the headers say, else the record's own time; null for a kept one without. */
  readonly failedAt: number | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

export interface DeadLetterFilter {
  /** Error code. */
  readonly reason: string | null;
  /** Inclusive; the time of failure, milliseconds since the epoch. */
  readonly sinceMs: number | null;
  /** Exclusive. */
  readonly untilMs: number | null;
  readonly originalTopic: string | null;
  /** That which read the record. */
  readonly originalGroup: string | null;
  readonly state: DeadLetterState | null;
}

/** Stands for a missing error code or group in counts and filters. */
export const UNKNOWN = 'unknown';

export function matchesDeadLetter(deadLetter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { origin, failedAt, state } = deadLetter;
  if (filter.reason !== null && (origin.errorCode ?? UNKNOWN) !== filter.reason) return false;
  if (filter.originalTopic !== null && origin.topic !== filter.originalTopic) return false;
  if (filter.originalGroup !== null && (origin.group ?? UNKNOWN) !== filter.originalGroup) return false;
  if (filter.state !== null && state !== filter.state) return false;
  if (filter.sinceMs !== null && (failedAt === null || failedAt < filter.sinceMs)) return false;
  return filter.untilMs === null || (failedAt !== null && failedAt < filter.untilMs);
}

/** Copies of one dead letter come from a crash between sending and remembering it: they lie near each other. */
const COPIES_WITHIN = 100_000;
/** Keys go over the folder's socket by the thousand, as JSON: nothing in them may take more room there. */
const KEY = /^[ !#-[\]-~]{1,400}$/;

/** Returns whether a key is new, comparing with the last `within` keys or more. */
export function recentOnly(within = COPIES_WITHIN): (key: string) => boolean {
  // Two generations: a set that loses its oldest key with each new one gets slow.
  let recent = new Set<string>();
  let older = recent;
  return (key) => {
    if (recent.has(key) || older.has(key)) return false;
    recent.add(key);
    if (recent.size >= within) {
      older = recent;
      recent = new Set();
    }
    return true;
  };
}

export interface DeadLetterSources {
  readonly admin: BrokerAdmin;
  readonly reader: StoreReader;
  readonly dlqTopic: string;
  readonly signal?: AbortSignal;
}

/** The dead letters of a topic, and what was done with them. */
export class DeadLetters {
  readonly #sources: DeadLetterSources;
  readonly #ranges: readonly PartitionRange[];
  /** By key; grows with what is marked. */
  readonly #states: Map<string, DeadLetterState>;

  private constructor(
    sources: DeadLetterSources,
    ranges: readonly PartitionRange[],
    states: Map<string, DeadLetterState>,
  ) {
    this.#sources = sources;
    this.#ranges = ranges;
    this.#states = states;
  }

  /** As the topic and the folder are at this moment. @throws Failure topic_missing */
  static async open(sources: DeadLetterSources): Promise<DeadLetters> {
    const { admin, reader, dlqTopic } = sources;
    if ((await admin.partitionCount(dlqTopic)) === undefined) {
      throw new Failure('topic_missing', `topic ${dlqTopic} does not exist`, {
        fix: { kind: 'other_dlq_topic' },
        context: { topic: dlqTopic },
      });
    }
    const states = new Map<string, DeadLetterState>();
    for await (const edits of reader.edits()) {
      for (const edit of edits) {
        if (edit.kind !== 'dead_letter' || edit.topic !== dlqTopic) continue;
        for (const { key } of edit.letters) states.set(key, edit.action);
      }
    }
    return new DeadLetters(sources, await admin.ranges(dlqTopic), states);
  }

  /** Remembers that these are marked, so that later copies of them are too. */
  marked(deadLetters: readonly MarkedDeadLetter[], action: DeadLetterAction): void {
    for (const { key } of deadLetters) this.#states.set(key, action);
  }

  stateOf(deadLetter: DeadLetter): DeadLetterState {
    return this.#states.get(deadLetter.mark.key) ?? 'open';
  }

  /** Every dead letter once, chunk by chunk: those kept in the folder, then the topic, partition by partition. */
  async *all(): AsyncGenerator<readonly DeadLetter[]> {
    const isNew = recentOnly();
    yield* this.#kept(null);
    const ranges = this.#ranges.filter(({ start, end }) => end > start);
    const wanted = ranges.map(({ partition, start, end }) => ({ partition, from: start, to: end }));
    const { admin, dlqTopic, signal } = this.#sources;
    for await (const { partition, records } of admin.records(dlqTopic, wanted, signal)) {
      const deadLetters = records.map((record) => this.#deadLetter(partition, record));
      yield deadLetters.filter(({ mark }) => isNew(mark.key));
    }
  }

  /** These dead letters, chunk by chunk, in any order. @throws Failure not_found */
  async *some(ids: readonly DeadLetterId[]): AsyncGenerator<readonly DeadLetter[]> {
    const { admin, dlqTopic, signal } = this.#sources;
    const kept = new Set(ids.flatMap((id) => (id.kind === 'kept' ? [id.of] : [])));
    if (kept.size > 0) yield* this.#kept(kept);
    for (const of of kept) throw missing(dlqTopic, { kind: 'kept', of }, 'none of that name is kept');
    const ranges = ids.flatMap((id) => (id.kind === 'record' ? [this.#rangeOf(id)] : []));
    const left = new Map(ranges.map((range) => [`${range.partition}:${range.from}`, range]));
    if (left.size === 0) return;
    for await (const { partition, records } of admin.records(dlqTopic, [...left.values()], signal)) {
      for (const { offset } of records) left.delete(`${partition}:${offset}`);
      yield records.map((record) => this.#deadLetter(partition, record));
    }
    for (const { partition, from } of left.values()) {
      throw missing(dlqTopic, { kind: 'record', partition, offset: from }, 'there is no record');
    }
  }

  /** Makes sure that all of these are there. @throws Failure not_found */
  async check(ids: readonly DeadLetterId[]): Promise<void> {
    const chunks = this.some(ids);
    while ((await chunks.next()).done !== true);
  }

  #rangeOf(id: Extract<DeadLetterId, { kind: 'record' }>): { partition: number; from: number; to: number } {
    const { partition, offset } = id;
    const range = this.#ranges.find((candidate) => candidate.partition === partition);
    const { dlqTopic } = this.#sources;
    if (range === undefined) throw missing(dlqTopic, id, `it has no partition ${partition}`);
    if (offset < range.start) {
      throw missing(
        dlqTopic,
        id,
        `it was deleted, by retention or by hand: ${range.start} is the first left`,
      );
    }
    if (offset >= range.end) throw missing(dlqTopic, id, `the partition ends at ${range.end}`);
    return { partition, from: offset, to: offset + 1 };
  }

  /** @param wanted takes what is found out of it; null: all */
  async *#kept(wanted: Set<string> | null): AsyncGenerator<readonly DeadLetter[]> {
    const { reader, dlqTopic } = this.#sources;
    for await (const { name: of, topic, key, value, headers } of reader.undelivered()) {
      if (topic !== dlqTopic || wanted?.delete(of) === false) continue;
      yield [this.#make({ kind: 'kept', of }, { key, value, headers, timestamp: null })];
    }
  }

  #deadLetter(
    partition: number,
    record: { offset: number; timestamp: number } & Pick<DeadLetter, 'key' | 'value' | 'headers'>,
  ): DeadLetter {
    return this.#make({ kind: 'record', partition, offset: record.offset }, record);
  }

  #make(
    id: DeadLetterId,
    record: { timestamp: number | null } & Pick<DeadLetter, 'key' | 'value' | 'headers'>,
  ): DeadLetter {
    const { key, value, headers, timestamp } = record;
    const origin = readOrigin(headers);
    const mark = { id: formatDeadLetterId(id), key: keyOf(id, origin, timestamp) };
    const state = this.#states.get(mark.key) ?? 'open';
    const failedAt = origin.failedAt ?? (timestamp === null ? null : recordTime(timestamp));
    return { id, mark, state, origin, failedAt, key, value, headers };
  }
}

/**
 * A dead letter of ours is identified by the record it is about, the group that read it and the time; any other by its
 * place and time, so that a record at the same place of a topic that was created again is another one.
 */
function keyOf(id: DeadLetterId, origin: DeadLetterOrigin, timestamp: number | null): string {
  const { format, topic, partition, offset, group, failedAt } = origin;
  if (format === 'orderctl' && topic !== null && partition !== null && offset !== null && failedAt !== null) {
    const key = `${topic}/${partition}@${offset} ${isoTime(failedAt)} ${group ?? ''}`;
    if (KEY.test(key)) return key;
  }
  return `${formatDeadLetterId(id)} ${timestamp ?? ''}`;
}

function missing(dlqTopic: string, id: DeadLetterId, why: string): Failure {
  const context = {
    topic: dlqTopic,
    ...(id.kind === 'record' ? { partition: id.partition, offset: id.offset } : {}),
  };
  return new Failure(
    'not_found',
    `there is no dead letter ${formatDeadLetterId(id)} in ${dlqTopic}: ${why}`,
    {
      fix: { kind: 'list_dead_letters' },
      context,
    },
  );
}
