import type { DeclaredMessage } from '../messages/message.ts';
import { ORDER } from '../messages/shop/order.ts';

/**
 * What a topic is to be, by the message that it carries. Topics are created as declared here, compared with it and
 * changed to it. Every number is a minimum: a cluster may have more on purpose.
 */
export interface DeclaredTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Copies of each record; fewer where the cluster has fewer brokers. */
  readonly replication: number;
  /** By Kafka's names. For times and sizes −1 means "without limit". */
  readonly configs: Readonly<Record<string, number>>;
}

/** As many copies as Kafka's own internal topics have. */
const REPLICATION = 3;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A dead letter waits for somebody to look at it, and perhaps for a release that fixes its cause. */
const DEAD_LETTERS_RETENTION_MS = 30 * DAY_MS;
/** What the headers of a dead letter may add to the record that it carries. */
const DEAD_LETTER_HEADROOM_BYTES = 64 * 1024;
/** Kafka's default for `max.message.bytes`, where the broker does not say. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;
/** Kafka keeps it in an int. */
const LARGEST_MESSAGE_BYTES = 2 ** 31 - 1;

/** A topic that is to be there. */
export interface WantedTopic {
  readonly topic: string;
  /** What it carries, or whose dead letters. */
  readonly message: DeclaredMessage;
  /** The topics whose dead letters it carries; null: it carries none. */
  readonly carries: readonly string[] | null;
}

/** Those of a shop that takes orders from one topic. */
export function orderTopics({ topic, dlqTopic }: { topic: string; dlqTopic: string }): WantedTopic[] {
  return [
    { topic, message: ORDER, carries: null },
    { topic: dlqTopic, message: ORDER, carries: [topic] },
  ];
}

/**
 * @param carriedBytes `max.message.bytes` of the topics that it carries, where the cluster says it: what fits there
 * fits here with its headers
 */
export function declare(
  { topic, message, carries }: WantedTopic,
  carriedBytes: readonly number[],
): DeclaredTopic {
  const { partitions, retentionDays } = message;
  const most = carriedBytes.length === 0 ? DEFAULT_MAX_MESSAGE_BYTES : Math.max(...carriedBytes);
  return {
    topic,
    partitions,
    replication: REPLICATION,
    configs:
      carries === null
        ? { 'retention.ms': retentionDays * DAY_MS }
        : {
            'max.message.bytes': Math.min(most + DEAD_LETTER_HEADROOM_BYTES, LARGEST_MESSAGE_BYTES),
            'retention.ms': DEAD_LETTERS_RETENTION_MS,
          },
  };
}

/** Whether a configuration value of the cluster is at least what is declared. */
export function suffices(actual: string | undefined, declared: number): boolean {
  const value = actual === undefined ? Number.NaN : Number(actual);
  return value === -1 || value >= declared;
}
