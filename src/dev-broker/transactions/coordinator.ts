import path from 'node:path';

import { StateLog } from '../state-log.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import {
  add,
  check,
  complete,
  end,
  expiresAt,
  fence,
  initialize,
  writesTo,
  type ProducerIdentity,
  type Step,
  type TopicPartition,
  type Transaction,
} from './transaction.ts';

/** What takes part in a transaction and is notified of its end. */
interface Participants {
  /** Writes the marker that ends the producer's transaction; has no effect when the partition was deleted. */
  endInPartition(of: TopicPartition, producer: ProducerIdentity, committed: boolean): void;
  /** Applies or drops the offsets that the producer committed in its transaction. */
  endInGroups(producer: ProducerIdentity, committed: boolean): void;
}

/** Kafka's transaction.max.timeout.ms. */
export const MAX_TRANSACTION_TIMEOUT_MS = 15 * 60_000;
/** Producer ids are reserved in blocks, so that a new producer costs no write. */
const PRODUCER_ID_BLOCK = 1000;
const NEXT_PRODUCER_ID = 'next';
/** Interval at which an unfinished end (the disk is full) is tried again. */
const RETRY_MS = 1_000;

/**
 * All transactional ids. A transaction's outcome is decided once Prepare… is in the file; markers and offsets follow,
 * then Complete…. All of it happens before the answer; what a kill -9 interrupts is finished at the next start. A
 * marker may be written twice, which is harmless.
 */
export class TransactionCoordinator {
  readonly #log: StateLog<Transaction>;
  readonly #producerIds: StateLog<number>;
  readonly #participants: Participants;
  #nextProducerId: number;
  #endOfBlock: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param folder for `transactions.log` and `producer-ids.log` */
  constructor(folder: string, participants: Participants) {
    this.#log = new StateLog(path.join(folder, 'transactions.log'));
    this.#producerIds = new StateLog(path.join(folder, 'producer-ids.log'));
    this.#participants = participants;
    this.#nextProducerId = this.#producerIds.get(NEXT_PRODUCER_ID) ?? 0;
    this.#endOfBlock = this.#nextProducerId;
    for (const [transactionalId, transaction] of this.#log) {
      if (isPrepared(transaction)) this.#finish(transactionalId, transaction);
    }
    this.#arm();
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#log.get(transactionalId);
  }

  all(): readonly (readonly [transactionalId: string, transaction: Transaction])[] {
    return [...this.#log];
  }

  newProducerId(): number {
    if (this.#nextProducerId === this.#endOfBlock) {
      this.#endOfBlock += PRODUCER_ID_BLOCK;
      this.#producerIds.set(NEXT_PRODUCER_ID, this.#endOfBlock);
    }
    this.#nextProducerId += 1;
    return this.#nextProducerId - 1;
  }

  /** Starts a new producer under its transactional id; an open transaction of another one is aborted. */
  initialize(
    transactionalId: string,
    producer: ProducerIdentity,
    timeoutMs: number,
  ): { readonly error: ErrorCode; readonly producer: ProducerIdentity } {
    const none = { producerId: -1, epoch: -1 };
    if (transactionalId === '') return { error: ERROR.INVALID_REQUEST, producer: none };
    if (timeoutMs <= 0 || timeoutMs > MAX_TRANSACTION_TIMEOUT_MS) {
      return { error: ERROR.INVALID_TRANSACTION_TIMEOUT, producer: none };
    }
    const step = () =>
      initialize(this.#settled(transactionalId), producer, timeoutMs, () => this.newProducerId());
    let next = step();
    if (next.kind === 'becomes' && next.next.state === 'PrepareAbort') {
      this.#take(transactionalId, next);
      next = step();
    }
    const error = this.#take(transactionalId, next);
    return { error, producer: error === ERROR.NONE ? (this.get(transactionalId) ?? none) : none };
  }

  add(
    transactionalId: string,
    producer: ProducerIdentity,
    added: { readonly partitions?: readonly TopicPartition[]; readonly groups?: readonly string[] },
  ): ErrorCode {
    if (transactionalId === '') return ERROR.INVALID_REQUEST;
    return this.#take(transactionalId, add(this.#settled(transactionalId), producer, added, Date.now()));
  }

  /** When it returns without an error, the outcome has reached every partition and group. */
  end(transactionalId: string, producer: ProducerIdentity, committed: boolean): ErrorCode {
    if (transactionalId === '') return ERROR.INVALID_REQUEST;
    return this.#take(transactionalId, end(this.#settled(transactionalId), producer, committed));
  }

  /**
   * Whether the producer may write to the partition, or commit offsets of the group, in its transaction. What arrives
   * after the end of the transaction is refused (KIP-890).
   */
  checkWrite(
    transactionalId: string,
    producer: ProducerIdentity,
    to: TopicPartition | { readonly group: string },
  ): ErrorCode {
    const transaction = this.get(transactionalId);
    const error = check(transaction, producer);
    if (error !== ERROR.NONE) return error === ERROR.PRODUCER_FENCED ? ERROR.INVALID_PRODUCER_EPOCH : error;
    const takesPart =
      transaction?.state === 'Ongoing' &&
      ('group' in to ? transaction.groups.includes(to.group) : writesTo(transaction, to));
    return takesPart ? ERROR.NONE : ERROR.INVALID_TXN_STATE;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#log.close();
    this.#producerIds.close();
  }

  /** First finishes a decided outcome that has not reached every participant (the disk was full). */
  #settled(transactionalId: string): Transaction | undefined {
    const transaction = this.get(transactionalId);
    if (transaction === undefined || !isPrepared(transaction)) return transaction;
    this.#finish(transactionalId, transaction);
    return this.get(transactionalId);
  }

  #take(transactionalId: string, step: Step): ErrorCode {
    if (step.kind === 'refused') return step.error;
    if (step.kind === 'becomes') {
      this.#log.set(transactionalId, step.next);
      try {
        if (isPrepared(step.next)) this.#finish(transactionalId, step.next);
      } finally {
        this.#arm();
      }
    }
    return ERROR.NONE;
  }

  #finish(transactionalId: string, transaction: Transaction): void {
    const committed = transaction.state === 'PrepareCommit';
    for (const of of transaction.partitions) this.#participants.endInPartition(of, transaction, committed);
    if (transaction.groups.length > 0) this.#participants.endInGroups(transaction, committed);
    this.#log.set(transactionalId, complete(transaction));
  }

  /** Aborts transactions that exceed their time-out, and finishes decided ones. */
  #expire(): void {
    const now = Date.now();
    for (const [transactionalId, transaction] of this.all()) {
      if (isPrepared(transaction)) this.#finish(transactionalId, transaction);
      else if (expiresAt(transaction) <= now) {
        this.#take(transactionalId, { kind: 'becomes', next: fence(transaction) });
      }
    }
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const now = Date.now();
    let next = Infinity;
    for (const [, transaction] of this.#log) {
      next = Math.min(next, isPrepared(transaction) ? now + RETRY_MS : expiresAt(transaction));
    }
    if (next === Infinity) return;
    this.#timer = setTimeout(
      () => {
        try {
          this.#expire();
        } catch {
          // The disk is full or missing: retried later; until then requests fail with the error.
        }
        this.#arm();
      },
      Math.max(next - now, 0),
    );
    this.#timer.unref();
  }
}

function isPrepared({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort';
}
