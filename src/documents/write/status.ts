import { isoTimeOrNull } from '../../domain/iso-time.ts';
import type { ConsumerStatus, ProcessorStatus } from '../../ports/owner.ts';
import type { Counts, ProcessorState } from '../status.ts';

export function processorDocument(of: ProcessorStatus): ProcessorState {
  const {
    name,
    group,
    topics,
    partitions,
    recordsPerSecond,
    lag,
    lastCommitAt,
    read,
    deadLettered,
    outcomes,
  } = of;
  return {
    processor: name,
    group,
    topics,
    partitions: [...partitions],
    records_per_second: recordsPerSecond,
    lag,
    last_commit_at: isoTimeOrNull(lastCommitAt),
    read,
    dead_lettered: deadLettered,
    outcomes,
  };
}

export function countsDocument(counts: ConsumerStatus['counts']): Counts {
  const { read, accepted, rejected, duplicates, conflicts, deadLettered } = counts;
  return { read, accepted, rejected, duplicates, conflicts, dead_lettered: deadLettered };
}
