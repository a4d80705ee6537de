import { ERROR, type ErrorCode } from '../wire/errors.ts';

export type TransactionState =
  'Empty' | 'Ongoing' | 'PrepareCommit' | 'PrepareAbort' | 'CompleteCommit' | 'CompleteAbort';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The state of a transactional id, saved as JSON. */
export interface Transaction {
  readonly producerId: number;
  readonly epoch: number;
  /** The previous epoch, whose owner may ask again for a lost answer; −1 when that could fence another. */
  readonly lastEpoch: number;
  /** The previous producer id, whose epochs ran out; −1 without one. */
  readonly lastProducerId: number;
  readonly timeoutMs: number;
  readonly state: TransactionState;
  /** What takes part: partitions, and groups whose offsets it commits. */
  readonly partitions: readonly TopicPartition[];
  readonly groups: readonly string[];
  /** When its first partition or group was added; −1 outside a transaction. */
  readonly startedAt: number;
}

/** A producer as identified in a request; −1 and −1 when it is new. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly epoch: number;
}

/** What a request leads to: an error, no change, or the next state. */
export type Step =
  | { readonly kind: 'refused'; readonly error: ErrorCode }
  | { readonly kind: 'done' }
  | { readonly kind: 'becomes'; readonly next: Transaction };

const NONE = -1;
/** An int16, as in Kafka. The last epoch is reserved for fencing; producers get up to the one before. */
const EXHAUSTED_EPOCH = 32_766;

/**
 * A producer starts or restarts (InitProducerId): it gets the next epoch, which fences all earlier ones. Rules and
 * error codes here and below are those of Kafka's TransactionCoordinator and TransactionMetadata (transaction version
 * 1).
 *
 * @param freshProducerId called when an unused producer id is needed
 * @returns `becomes` PrepareAbort when a transaction is open: abort it first, then call this again
 */
export function initialize(
  current: Transaction | undefined,
  producer: ProducerIdentity,
  timeoutMs: number,
  freshProducerId: () => number,
): Step {
  if (current === undefined) return begin(freshProducerId(), 0, NONE, NONE, timeoutMs);
  const { epoch, lastEpoch, producerId, lastProducerId } = current;
  const isNew = producer.producerId === NONE;
  const isOurs =
    isNew ||
    producer.producerId === producerId ||
    (producer.producerId === lastProducerId && producer.epoch >= EXHAUSTED_EPOCH);
  if (!isOurs) return refused('PRODUCER_FENCED');
  if (current.state === 'PrepareCommit' || current.state === 'PrepareAbort') {
    return refused('CONCURRENT_TRANSACTIONS');
  }
  if (current.state === 'Ongoing') return { kind: 'becomes', next: fence(current) };
  if (epoch >= EXHAUSTED_EPOCH && (isNew || producer.epoch === epoch)) {
    return begin(freshProducerId(), 0, isNew ? NONE : epoch, producerId, timeoutMs);
  }
  if (isNew || producer.epoch === epoch) {
    return begin(producerId, epoch + 1, isNew ? NONE : epoch, lastProducerId, timeoutMs);
  }
  // It repeats a request whose answer was lost.
  if (producer.epoch === lastEpoch) return begin(producerId, epoch, lastEpoch, lastProducerId, timeoutMs);
  return refused('PRODUCER_FENCED');
}

/** Adds partitions or groups to the transaction (AddPartitionsToTxn, AddOffsetsToTxn), which opens it. */
export function add(
  current: Transaction | undefined,
  producer: ProducerIdentity,
  added: { readonly partitions?: readonly TopicPartition[]; readonly groups?: readonly string[] },
  now: number,
): Step {
  const error = check(current, producer);
  if (current === undefined || error !== ERROR.NONE) return { kind: 'refused', error };
  if (current.state === 'PrepareCommit' || current.state === 'PrepareAbort') {
    return refused('CONCURRENT_TRANSACTIONS');
  }
  const isOpen = current.state === 'Ongoing';
  const partitions = (added.partitions ?? []).filter((partition) => !isOpen || !writesTo(current, partition));
  const groups = (added.groups ?? []).filter((group) => !isOpen || !current.groups.includes(group));
  if (isOpen && partitions.length === 0 && groups.length === 0) return { kind: 'done' };
  const next: Transaction = {
    ...current,
    state: 'Ongoing',
    partitions: isOpen ? [...current.partitions, ...partitions] : partitions,
    groups: isOpen ? [...current.groups, ...groups] : groups,
    startedAt: isOpen ? current.startedAt : now,
  };
  return { kind: 'becomes', next };
}

/** The producer ends its transaction (EndTxn). Once the next state is saved, its outcome is decided. */
export function end(current: Transaction | undefined, producer: ProducerIdentity, commit: boolean): Step {
  const error = check(current, producer);
  if (current === undefined || error !== ERROR.NONE) return { kind: 'refused', error };
  switch (current.state) {
    case 'Ongoing':
      return { kind: 'becomes', next: { ...current, state: commit ? 'PrepareCommit' : 'PrepareAbort' } };
    case 'PrepareCommit':
    case 'PrepareAbort':
      return refused(
        (current.state === 'PrepareCommit') === commit ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE',
      );
    case 'CompleteCommit':
    case 'CompleteAbort':
      return (current.state === 'CompleteCommit') === commit
        ? { kind: 'done' }
        : refused('INVALID_TXN_STATE');
    case 'Empty':
      return refused('INVALID_TXN_STATE');
  }
}

/** The coordinator aborts an open transaction; the next epoch fences its producer. */
export function fence(current: Transaction): Transaction {
  return { ...current, state: 'PrepareAbort', epoch: current.epoch + 1, lastEpoch: NONE };
}

/** The outcome has reached all participants. */
export function complete(current: Transaction): Transaction {
  const state = current.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort';
  return { ...current, state, partitions: [], groups: [], startedAt: NONE };
}

/** When the coordinator aborts an open transaction; Infinity without one. */
export function expiresAt({ state, startedAt, timeoutMs }: Transaction): number {
  return state === 'Ongoing' ? startedAt + timeoutMs : Infinity;
}

export function writesTo(transaction: Transaction, { topic, partition }: TopicPartition): boolean {
  return transaction.partitions.some((one) => one.topic === topic && one.partition === partition);
}

/** Whether the producer currently owns the transactional id. */
export function check(current: Transaction | undefined, producer: ProducerIdentity): ErrorCode {
  if (current?.producerId !== producer.producerId) return ERROR.INVALID_PRODUCER_ID_MAPPING;
  return current.epoch === producer.epoch ? ERROR.NONE : ERROR.PRODUCER_FENCED;
}

function begin(
  producerId: number,
  epoch: number,
  lastEpoch: number,
  lastProducerId: number,
  timeoutMs: number,
): Step {
  const next: Transaction = {
    producerId,
    epoch,
    lastEpoch,
    lastProducerId,
    timeoutMs,
    state: 'Empty',
    partitions: [],
    groups: [],
    startedAt: NONE,
  };
  return { kind: 'becomes', next };
}

function refused(error: keyof typeof ERROR): Step {
  return { kind: 'refused', error: ERROR[error] };
}
