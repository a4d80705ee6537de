import type { DeadLetterAction, Edit, MarkedDeadLetter } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { byTopic } from '../../domain/topics/by-topic.ts';
import { formatDeadLetterId, type DeadLetterId } from '../../domain/topics/dead-letter-id.ts';
import { recordTime } from '../../domain/orders/order.ts';
import type { BrokerAdmin, PartitionRange } from '../../ports/broker.ts';
import type { Headers } from '../../ports/record.ts';
import type { StoreReader } from '../../ports/store.ts';
import type { ProcessorTopics } from '../offsets/group-positions.ts';
import { EFFECT_STAGE, readOrigin, type DeadLetterOrigin } from './headers.ts';

export const DEAD_LETTER_STATES = ['open', 'redriven', 'discarded'] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];

/** Where to look for dead letters. */
export interface DeadLetterScope {
  /** Dead-letter topics, at least one. */
  readonly topics: readonly string[];
  /** Whether ids include the topic, because it is not the default one. */
  readonly isNamed: boolean;
  /** Set for all processors of the shop with this group; ids in `topic`, the one of `orders`, have no topic name. */
  readonly ofShop?: { readonly group: string; readonly topic: string };
  /** The processor whose dead letters are wanted; null: all in these topics. */
  readonly of: Pick<ProcessorTopics, 'processor' | 'group'> | null;
}

/** A dead letter. Key, value and headers are views of fetched bytes, valid until the next chunk. */
export interface DeadLetter {
  readonly id: DeadLetterId;
  /** The dead-letter topic. */
  readonly topic: string;
  /** Identifies it in the log of edits. */
  readonly mark: MarkedDeadLetter;
  readonly state: DeadLetterState;
  readonly origin: DeadLetterOrigin;
  /** Milliseconds since the epoch, from the headers or else the record; null for a kept one without a time. */
  readonly failedAt: number | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

/** A crash between sending a dead letter and recording that leads to copies, which are near each other. */
const COPIES_WITHIN = 100_000;
/** Keys are sent through the folder's socket by the thousand, as JSON: their characters must not need escaping. */
const KEY = /^[ !#-[\]-~]{1,400}$/;

/** Returns a function that tells whether a key is new, compared with at least the last `within` keys. */
export function recentOnly(within = COPIES_WITHIN): (key: string) => boolean {
  // Two generations: a set that drops its oldest key for each new one becomes slow.
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
  readonly scope: DeadLetterScope;
  readonly signal?: AbortSignal;
}

/** The dead letters of one or more topics, with their states. */
export class DeadLetters {
  readonly #sources: DeadLetterSources;
  /** The ranges of the topics that exist. */
  readonly ranges: ReadonlyMap<string, readonly PartitionRange[]>;
  /** By topic and key; grows as dead letters are marked. */
  readonly #states: Map<string, DeadLetterState>;

  private constructor(
    sources: DeadLetterSources,
    ranges: ReadonlyMap<string, readonly PartitionRange[]>,
    states: Map<string, DeadLetterState>,
  ) {
    this.#sources = sources;
    this.ranges = ranges;
    this.#states = states;
  }

  /** Reads the present state of the topics and the folder. @throws Failure topic_missing: none of the topics exists */
  static async open(sources: DeadLetterSources): Promise<DeadLetters> {
    const { admin, reader, scope } = sources;
    const ranges = new Map<string, readonly PartitionRange[]>();
    for (const topic of scope.topics) {
      if ((await admin.partitionCount(topic)) !== undefined) ranges.set(topic, await admin.ranges(topic));
    }
    if (ranges.size === 0) throw noneThere(scope);
    const states = new Map<string, DeadLetterState>();
    for await (const edits of reader.edits()) {
      for (const edit of edits) {
        if (edit.kind === 'dead_letter' && scope.topics.includes(edit.topic)) takeMarks(edit, states);
      }
    }
    return new DeadLetters(sources, ranges, states);
  }

  /** Records that these are marked, so that later copies of them count as marked too. */
  marked(deadLetters: readonly Pick<DeadLetter, 'topic' | 'mark'>[], action: DeadLetterAction): void {
    for (const deadLetter of deadLetters) this.#states.set(stateKey(deadLetter), action);
  }

  stateOf(deadLetter: DeadLetter): DeadLetterState {
    return this.#states.get(stateKey(deadLetter)) ?? 'open';
  }

  /** Every dead letter once, in chunks: those kept in the folder, then the topics, partition by partition. */
  async *all(): AsyncGenerator<readonly DeadLetter[]> {
    const isNew = recentOnly();
    yield* this.kept(null);
    const { admin, scope, signal } = this.#sources;
    for (const [topic, ranges] of this.ranges) {
      const wanted = ranges
        .filter(({ start, end }) => end > start)
        .map(({ partition, start, end }) => ({ partition, from: start, to: end }));
      for await (const { partition, records } of admin.records(topic, wanted, signal)) {
        const deadLetters = records.map((record) => this.of(topic, partition, record));
        yield deadLetters.filter((one) => isOf(one, scope) && isNew(stateKey(one)));
      }
    }
  }

  /** The dead letters with these ids, in chunks, in any order. @throws Failure not_found */
  async *some(ids: readonly DeadLetterId[]): AsyncGenerator<readonly DeadLetter[]> {
    const kept = new Set(ids.flatMap((id) => (id.kind === 'kept' ? [id.of] : [])));
    if (kept.size > 0) yield* this.kept(kept);
    for (const of of kept)
      throw missing(this.#sources.scope, { kind: 'kept', of }, 'none of that name is kept');
    const records = ids.flatMap((id) => (id.kind === 'record' ? [{ ...id, topic: this.#topicOf(id) }] : []));
    for (const [topic, ofTopic] of byTopic(records)) yield* this.#records(topic, ofTopic);
  }

  async *#records(topic: string, ids: readonly RecordLetterId[]): AsyncGenerator<readonly DeadLetter[]> {
    const { admin, scope, signal } = this.#sources;
    const left = new Map(
      ids.map((id) => this.#rangeOf(id, topic)).map((range) => [`${range.partition}:${range.from}`, range]),
    );
    for await (const { partition, records } of admin.records(topic, [...left.values()], signal)) {
      for (const { offset } of records) left.delete(`${partition}:${offset}`);
      yield records.map((record) => this.of(topic, partition, record));
    }
    for (const { partition, from } of left.values()) {
      const id = { kind: 'record', topic, partition, offset: from } as const;
      throw missing(scope, id, 'there is no record');
    }
  }

  /** @throws Failure invalid_value: the topic is ambiguous */
  #topicOf(id: RecordLetterId): string {
    const { topics } = this.#sources.scope;
    if (id.topic !== null) return id.topic;
    if (topics.length === 1) return topics[0] ?? '';
    throw new Failure('invalid_value', `${formatDeadLetterId(id)} may be in any of ${topics.join(', ')}`, {
      fix: 'add the topic: TOPIC:PARTITION:OFFSET',
    });
  }

  /** Makes sure that all of these exist. @throws Failure not_found */
  async check(ids: readonly DeadLetterId[]): Promise<void> {
    const chunks = this.some(ids);
    while ((await chunks.next()).done !== true);
  }

  #rangeOf(id: RecordLetterId, topic: string): { partition: number; from: number; to: number } {
    const { partition, offset } = id;
    const { scope } = this.#sources;
    const ranges = this.ranges.get(topic);
    if (ranges === undefined) throw missing(scope, id, 'there is no such topic');
    const range = ranges.find((candidate) => candidate.partition === partition);
    if (range === undefined) throw missing(scope, id, `it has no partition ${partition}`);
    if (offset < range.start) {
      const why = `it was deleted, by retention or by hand: the first remaining offset is ${range.start}`;
      throw missing(scope, id, why);
    }
    if (offset >= range.end) throw missing(scope, id, `the partition ends at ${range.end}`);
    return { partition, from: offset, to: offset + 1 };
  }

  /** The dead letters kept in the folder. @param wanted found ids are removed from it; null: all in the scope */
  async *kept(wanted: Set<string> | null): AsyncGenerator<readonly DeadLetter[]> {
    const { reader, scope } = this.#sources;
    for await (const { name: of, topic, key, value, headers } of reader.undelivered()) {
      if (!scope.topics.includes(topic) || wanted?.delete(of) === false) continue;
      const deadLetter = this.#make({ kind: 'kept', of }, topic, { key, value, headers, timestamp: null });
      if (wanted !== null || isOf(deadLetter, scope)) yield [deadLetter];
    }
  }

  /** Makes a dead letter from a record of a dead-letter topic. */
  of(
    topic: string,
    partition: number,
    record: { offset: number; timestamp: number } & Pick<DeadLetter, 'key' | 'value' | 'headers'>,
  ): DeadLetter {
    const { isNamed, ofShop } = this.#sources.scope;
    const named = isNamed && topic !== ofShop?.topic ? topic : null;
    return this.#make({ kind: 'record', topic: named, partition, offset: record.offset }, topic, record);
  }

  #make(
    id: DeadLetterId,
    topic: string,
    record: { timestamp: number | null } & Pick<DeadLetter, 'key' | 'value' | 'headers'>,
  ): DeadLetter {
    const { key, value, headers, timestamp } = record;
    const origin = readOrigin(headers);
    const mark = markOf(id, origin, timestamp);
    const state = this.#states.get(stateKey({ topic, mark })) ?? 'open';
    const failedAt = origin.failedAt ?? (timestamp === null ? null : recordTime(timestamp));
    return { id, topic, mark, state, origin, failedAt, key, value, headers };
  }
}

type RecordLetterId = Extract<DeadLetterId, { kind: 'record' }>;

/** Applies an edit from the log to the states of dead letters. @param states by `stateKey` */
export function takeMarks(
  { topic, action, letters }: Extract<Edit, { kind: 'dead_letter' }>,
  states: Map<string, DeadLetterState>,
): void {
  for (const { key } of letters) states.set(`${topic} ${key}`, action);
}

/** The identity of a dead letter in the log of edits, apart from its topic. */
export function markOf(
  id: DeadLetterId,
  origin: DeadLetterOrigin,
  timestamp: number | null,
): MarkedDeadLetter {
  const place = formatDeadLetterId(id.kind === 'record' ? { ...id, topic: null } : id);
  return { id: place, key: keyOf(place, origin, timestamp) };
}

export function stateKey({ topic, mark }: Pick<DeadLetter, 'topic' | 'mark'>): string {
  return `${topic} ${mark.key}`;
}

/**
 * Whether a dead letter is in the scope. A record that cannot be decoded belongs to all readers of the topic; one whose
 * effect failed belongs to the group of that effect.
 */
export function isOf({ origin, topic }: DeadLetter, { of, ofShop }: DeadLetterScope): boolean {
  if (ofShop !== undefined && topic !== ofShop.topic) {
    return origin.group === ofShop.group || origin.group?.startsWith(`${ofShop.group}.`) === true;
  }
  if (of === null || origin.errorStage !== EFFECT_STAGE) return true;
  // The group may have been renamed since.
  return origin.group === of.group || origin.group?.endsWith(`.${of.processor}`) === true;
}

/**
 * The key of a dead letter. In the format of orderctl: its original record, the group that read it and the time. In any
 * other format: its place and time, which tells it apart from a record at the same place of a recreated topic.
 */
function keyOf(place: string, origin: DeadLetterOrigin, timestamp: number | null): string {
  const { format, topic, partition, offset, group, failedAt } = origin;
  if (format === 'orderctl' && topic !== null && partition !== null && offset !== null && failedAt !== null) {
    const key = `${topic}/${partition}@${offset} ${isoTime(failedAt)} ${group ?? ''}`;
    if (KEY.test(key)) return key;
  }
  return `${place} ${timestamp ?? ''}`;
}

function missing({ topics, of }: DeadLetterScope, id: DeadLetterId, why: string): Failure {
  const named = id.kind === 'record' ? id.topic : null;
  const where = named ?? topics.join(', ');
  const text = formatDeadLetterId(id.kind === 'record' ? { ...id, topic: null } : id);
  const context = {
    topic: where,
    ...(id.kind === 'record' ? { partition: id.partition, offset: id.offset } : {}),
  };
  return new Failure('not_found', `there is no dead letter ${text} in ${where}: ${why}`, {
    fix:
      of === null ? { kind: 'list_dead_letters' } : { kind: 'list_dead_letters_of', processor: of.processor },
    context,
  });
}

function noneThere({ topics, of, ofShop }: DeadLetterScope): Failure {
  const [topic = ''] = topics;
  const what =
    topics.length === 1
      ? `topic ${topic} does not exist`
      : `none of the ${ofShop === undefined ? `topics ${topics.join(', ')}` : 'dead-letter topics'} exists`;
  return new Failure('topic_missing', what, {
    fix: of === null ? { kind: 'other_dlq_topic' } : { kind: 'apply_topics_of', processor: of.processor },
    context: { topic },
  });
}
