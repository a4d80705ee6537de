import { DAY_MS } from '../iso-time.ts';
import type { DeclaredMessage } from '../messages/message.ts';
import { ORDER } from '../messages/shop/order.ts';

/**
 * The declaration of a topic, derived from the message it carries. Topics are created from it, compared with it and
 * altered to match it. Every number is a minimum: a cluster may have more on purpose.
 */
export interface DeclaredTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Replicas; fewer if the cluster has fewer brokers. */
  readonly replication: number;
  /** By Kafka's names. For times and sizes, −1 means unlimited. */
  readonly configs: Readonly<Record<string, number>>;
}

/** The same as for Kafka's internal topics. */
const REPLICATION = 3;
/** A dead letter must wait until someone looks at it, and perhaps until a release fixes its cause. */
const DEAD_LETTERS_RETENTION_MS = 30 * DAY_MS;
/** The size that the headers of a dead letter may add to the record. */
const DEAD_LETTER_HEADROOM_BYTES = 64 * 1024;
/** Kafka's default of `max.message.bytes`, used if the value of the cluster is unknown. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;
/** Kafka stores `max.message.bytes` in an int. */
const LARGEST_MESSAGE_BYTES = 2 ** 31 - 1;

/** A topic that must exist. */
export interface WantedTopic {
  readonly topic: string;
  /** The message it carries, or whose dead letters it carries. */
  readonly message: DeclaredMessage;
  /** The topics whose dead letters it carries; null: it is not a dead-letter topic. */
  readonly carries: readonly string[] | null;
}

/** The topics of a shop that reads orders from one topic. */
export function orderTopics({ topic, dlqTopic }: { topic: string; dlqTopic: string }): WantedTopic[] {
  return [
    { topic, message: ORDER, carries: null },
    { topic: dlqTopic, message: ORDER, carries: [topic] },
  ];
}

/**
 * @param carriedBytes `max.message.bytes` of the topics whose dead letters it carries, where known, so that every
 * record of those topics fits with its headers
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

/** Whether a configuration value of the cluster is at least the declared one. */
export function suffices(actual: string | undefined, declared: number): boolean {
  const value = actual === undefined ? Number.NaN : Number(actual);
  return value === -1 || value >= declared;
}
