import type { DeclaredMessage } from './messages/message.ts';

/**
 * What a topic is to be, by the message that lies on it. Topics are created as declared here, compared with it and
 * changed to it. Every number is a minimum: a cluster may have more on purpose.
 */
export interface DeclaredTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Copies of each record; fewer where the cluster has fewer brokers. */
  readonly replication: number;
  /** By Kafka's names. For times and sizes −1 stands for "without limit". */
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

export function declaredTopic({ partitions, retentionDays }: DeclaredMessage, topic: string): DeclaredTopic {
  return {
    topic,
    partitions,
    replication: REPLICATION,
    configs: { 'retention.ms': retentionDays * DAY_MS },
  };
}

/**
 * @param of the message whose dead letters they are
 * @param maxMessageBytes what its topic allows; whatever fits there fits here with its headers
 */
export function declaredDeadLetters(
  of: DeclaredMessage,
  topic: string,
  maxMessageBytes: number | undefined,
): DeclaredTopic {
  const limit = (maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES) + DEAD_LETTER_HEADROOM_BYTES;
  return {
    topic,
    partitions: of.partitions,
    replication: REPLICATION,
    configs: {
      'max.message.bytes': Math.min(limit, LARGEST_MESSAGE_BYTES),
      'retention.ms': DEAD_LETTERS_RETENTION_MS,
    },
  };
}

/** Whether a configuration value of the cluster is at least what is declared. */
export function suffices(actual: string | undefined, declared: number): boolean {
  const value = actual === undefined ? Number.NaN : Number(actual);
  return value === -1 || value >= declared;
}
