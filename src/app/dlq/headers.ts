import { isoTime, isoTimeOrNull } from '../../domain/iso-time.ts';
import { recordTime } from '../../domain/orders/order.ts';
import { lastHeader, type Headers } from '../../ports/record.ts';

/*
 * Reads the headers of a dead letter, in the formats of the programs that write dead letters. If a header is repeated,
 * the last one is the newest: Connect and Spring append theirs to existing ones. Sources:
 *
 *   Kafka Connect, also managed by Confluent   org.apache.kafka.connect.runtime.errors.DeadLetterQueueReporter
 *   Kafka Streams, ksqlDB on it                KIP-1034
 *   Kafka share groups                         KIP-1191
 *   Spring for Apache Kafka                    org.springframework.kafka.support.KafkaHeaders
 *   Spring Cloud Stream                        KafkaMessageChannelBinder
 *   Quarkus and SmallRye                       smallrye.io, "dead-letter-queue" failure strategy
 */

interface Format {
  readonly name: string;
  /** A record is a dead letter in this format if and only if it has one of these headers. */
  readonly markers: readonly string[];
  /** The prefix of the headers for topic, partition, offset and timestamp. */
  readonly original: string;
  readonly group?: string;
  /** The first header that exists counts. */
  readonly code: readonly string[];
  readonly message: readonly string[];
  readonly stage?: string;
  readonly attempts?: string;
}

const FORMATS = [
  {
    name: 'orderctl',
    markers: ['x-error-code'],
    original: 'x-original-',
    group: 'x-original-group',
    code: ['x-error-code'],
    message: ['x-error-message'],
    stage: 'x-error-stage',
    attempts: 'x-attempts',
  },
  {
    name: 'connect',
    markers: ['__connect.errors.topic', '__connect.errors.exception.class.name'],
    original: '__connect.errors.',
    code: ['__connect.errors.exception.class.name'],
    message: ['__connect.errors.exception.message'],
    stage: '__connect.errors.stage',
  },
  {
    name: 'spring',
    markers: ['kafka_dlt-original-topic'],
    original: 'kafka_dlt-original-',
    group: 'kafka_dlt-original-consumer-group',
    code: ['kafka_dlt-exception-cause-fqcn', 'kafka_dlt-exception-fqcn', 'kafka_dlt-key-exception-fqcn'],
    message: ['kafka_dlt-exception-message', 'kafka_dlt-key-exception-message'],
    attempts: 'retry_topic-attempts',
  },
  {
    name: 'spring_retry',
    markers: ['kafka_original-topic'],
    original: 'kafka_original-',
    code: ['kafka_exception-cause-fqcn', 'kafka_exception-fqcn'],
    message: ['kafka_exception-message'],
    attempts: 'retry_topic-attempts',
  },
  {
    name: 'spring_cloud_stream',
    markers: ['x-exception-fqcn', 'x-exception-message'],
    original: 'x-original-',
    code: ['x-exception-fqcn'],
    message: ['x-exception-message'],
  },
  {
    name: 'streams',
    markers: ['__streams.errors.topic', '__streams.errors.exception'],
    original: '__streams.errors.',
    code: ['__streams.errors.exception'],
    message: ['__streams.errors.message'],
  },
  {
    name: 'share_group',
    markers: ['__dlq.errors.topic'],
    original: '__dlq.errors.',
    group: '__dlq.errors.group',
    code: [],
    message: ['__dlq.errors.message'],
    attempts: '__dlq.errors.delivery.count',
  },
  {
    name: 'smallrye',
    markers: ['dead-letter-topic'],
    original: 'dead-letter-',
    code: ['dead-letter-cause-class-name', 'dead-letter-exception-class-name'],
    message: ['dead-letter-reason'],
  },
] as const satisfies readonly Format[];

/** `x-error-stage` of a record that was decoded and processed, but whose effect failed. */
export const EFFECT_STAGE = 'effect';

export type DeadLetterFormat = (typeof FORMATS)[number]['name'];

/** The headers of these formats, and those in which Spring's deserializers leave Java objects. */
const DEAD_LETTER_HEADER =
  /^(x-error-|x-exception-|x-failed-at$|x-original-group$|__(connect|streams|dlq)\.errors\.|kafka_(dlt-|original-|exception-)|retry_topic-|springDeserializerException|dead-letter-(reason|cause|topic|partition|offset|exception-class-name|cause-class-name)$)/;
const TOPIC_NAME = /^[A-Za-z0-9._-]{1,249}$/;
const MAX_TEXT = 1_000;

/** The origin of a dead letter; a value is null when the headers do not have it. */
export interface DeadLetterOrigin {
  readonly format: DeadLetterFormat | null;
  readonly topic: string | null;
  readonly partition: number | null;
  readonly offset: number | null;
  /** Milliseconds since the epoch, like `failedAt`. */
  readonly timestamp: number | null;
  readonly failedAt: number | null;
  readonly group: string | null;
  /** The error code of orderctl, or the class of the exception. */
  readonly errorCode: string | null;
  readonly errorStage: string | null;
  readonly errorMessage: string | null;
  readonly attempts: number | null;
  /** How often it was sent again. */
  readonly replayCount: number;
}

/**
 * Never fails: any program may have written the headers. Texts have no control characters and at most 1,000 characters.
 */
export function readOrigin(headers: Headers): DeadLetterOrigin {
  const replayCount = numberIn(headers, 'x-replay-count') ?? 0;
  const format: Format | undefined = FORMATS.find(({ markers }) =>
    markers.some((marker) => lastValue(headers, marker) !== undefined),
  );
  if (format === undefined) return { ...NOTHING_KNOWN, replayCount };
  const { original } = format;
  const topic = textIn(headers, `${original}topic`);
  const first = (names: readonly string[]): string | null =>
    names.map((name) => textIn(headers, name)).find((text) => text !== null) ?? null;
  return {
    format: format.name as DeadLetterFormat,
    topic: topic !== null && TOPIC_NAME.test(topic) ? topic : null,
    partition: numberIn(headers, `${original}partition`),
    offset: numberIn(headers, `${original}offset`),
    timestamp: timeIn(headers, `${original}timestamp`),
    failedAt: timeIn(headers, 'x-failed-at'),
    group: format.group === undefined ? null : textIn(headers, format.group),
    errorCode: first(format.code),
    errorStage: format.stage === undefined ? null : textIn(headers, format.stage),
    errorMessage: first(format.message),
    attempts: format.attempts === undefined ? null : numberIn(headers, format.attempts),
    replayCount,
  };
}

const NOTHING_KNOWN: DeadLetterOrigin = {
  format: null,
  topic: null,
  partition: null,
  offset: null,
  timestamp: null,
  failedAt: null,
  group: null,
  errorCode: null,
  errorStage: null,
  errorMessage: null,
  attempts: null,
  replayCount: 0,
};

/**
 * The headers of a dead letter that is sent again. Headers of all dead-letter formats are removed, so that a consumer
 * that refuses it starts from scratch. Added are its origin as x-original-*, the only group that must process it, and
 * how often it was sent.
 */
export function redriveHeaders(
  headers: Headers,
  origin: DeadLetterOrigin,
  replay: {
    id: string;
    at: number;
    /** The only group that must process it; null: all groups that read it. */ group: string | null;
  },
): Headers {
  const kept = headers.filter(([name]) => !DEAD_LETTER_HEADER.test(name));
  const provenance = Object.entries({
    'x-original-topic': origin.topic,
    'x-original-partition': origin.partition,
    'x-original-offset': origin.offset,
    'x-original-timestamp': isoTimeOrNull(origin.timestamp),
    'x-original-group': replay.group,
  }).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)] as const]));
  return withHeaders(kept, [
    ...provenance,
    ['x-replay-id', replay.id],
    ['x-replay-count', String(origin.replayCount + 1)],
    ['x-replayed-at', isoTime(replay.at)],
  ]);
}

/** Removes the header in which Confluent's serializers name the schema of a value. */
export function withoutSchema(headers: Headers): Headers {
  return headers.filter(([name]) => name !== '__value_schema_id');
}

/** Replaces all headers with the names of `ours`, which come last; order and repetition of the others are kept. */
export function withHeaders(headers: Headers, ours: Headers): Headers {
  const names = new Set(ours.map(([name]) => name));
  return [...headers.filter(([name]) => !names.has(name)), ...ours];
}

/** A null value counts as absent. */
function lastValue(headers: Headers, name: string): Uint8Array | string | undefined {
  return lastHeader(headers, name) ?? undefined;
}

const decoder = new TextDecoder();

function textIn(headers: Headers, name: string): string | null {
  const value = lastValue(headers, name);
  if (value === undefined) return null;
  const text = typeof value === 'string' ? value : decoder.decode(value.subarray(0, 4 * MAX_TEXT));
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_TEXT);
}

/**
 * A number in digits, or as Java writes it: four or eight bytes, big-endian. Digits that were read as such bytes would
 * be greater than any offset.
 */
function numberIn(headers: Headers, name: string): number | null {
  const value = lastValue(headers, name);
  if (value === undefined) return null;
  const text = typeof value === 'string' ? value : decoder.decode(value.subarray(0, 32));
  if (/^\d{1,16}$/.test(text)) return whole(Number(text));
  if (typeof value === 'string') return null;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (value.byteLength === 4) return whole(view.getInt32(0));
  return value.byteLength === 8 ? whole(Number(view.getBigInt64(0))) : null;
}

function whole(value: number): number | null {
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function timeIn(headers: Headers, name: string): number | null {
  const ms = numberIn(headers, name) ?? Date.parse(textIn(headers, name) ?? '');
  return recordTime(ms);
}
