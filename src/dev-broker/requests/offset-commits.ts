import type { PartitionOffset } from '../groups/offsets.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import type { Context } from './api.ts';
import { withErrors, type ByTopic, type PartitionErrors } from './topic-results.ts';

/** Kafka's offset.metadata.max.bytes. */
const MAX_METADATA_BYTES = 4096;

/** An offset to commit, of OffsetCommit and TxnOffsetCommit. */
export interface WantedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

/**
 * Separates offsets that can be committed from the others, by partition: a bad partition does not block the rest.
 *
 * @param commit saves those that can be committed
 */
export function commitWhatCanBe(
  topics: ByTopic<WantedOffset>,
  { broker }: Pick<Context, 'broker'>,
  commit: (offsets: readonly PartitionOffset[]) => void,
): PartitionErrors {
  const committedAt = Date.now();
  const offsets: PartitionOffset[] = [];
  const errors = withErrors(topics, (topic, { partition, offset, leaderEpoch, metadata }): ErrorCode => {
    if (broker.topics.partition(topic, partition) === undefined) return ERROR.UNKNOWN_TOPIC_OR_PARTITION;
    if (Buffer.byteLength(metadata ?? '') > MAX_METADATA_BYTES) return ERROR.OFFSET_METADATA_TOO_LARGE;
    offsets.push({ topic, partition, offset, leaderEpoch, metadata: metadata ?? '', committedAt });
    return ERROR.NONE;
  });
  commit(offsets);
  return errors;
}
