import { byTopic } from '../../../domain/topics/by-topic.ts';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ConsumerEvent } from '../../../ports/broker.ts';
import type { TopicPartition } from '../../../ports/store.ts';
import { PartitionMap } from '../partition-map.ts';
import { answerOf, isPassing } from '../protocol/errors.ts';
import type { BrokerNode } from '../protocol/kafkajs.ts';
import type { Member } from './membership.ts';

const FLUSH_TIMEOUT_MS = 2_000;
/** Longer than a join, which waits 15 s for the other members. */
const SETTLE_TIMEOUT_MS = 20_000;
const SETTLE_CHECK_MS = 20;
/** Least time between two commits: each costs both sides about as much as a small batch. */
const COMMIT_EVERY_MS = 100;
/** Pause after a failure, and the longest one after several in a row. */
const REST_MS = 500;
const LONGEST_REST_MS = 5_000;
/** After a report, failures within this time are counted but not reported. */
const REPORT_EVERY_MS = 30_000;

/** The part of the membership that commits need. */
export interface CommitMembership {
  /** undefined while the group is not joined. */
  readonly member: Member | undefined;
  node(): Promise<BrokerNode>;
  lose(): void;
  rejoin(refused: Member): void;
}

export interface CommitQueueOptions {
  readonly group: string;
  readonly metadata: string;
  readonly membership: CommitMembership;
  /** Whether this member may still commit the partition. */
  readonly isOurs: (partition: TopicPartition) => boolean;
  readonly onEvent: (event: ConsumerEvent) => void;
}

/**
 * Commits the newest processed offset of each partition, at most ten times a second. The stored position is what
 * counts, so a failed commit is retried and reported, at most twice a minute, but ends nothing.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  readonly #waiting = new PartitionMap<number>();
  /** The partitions in the commit that is under way. */
  #sent: readonly TopicPartition[] = [];
  #running: Promise<void> | undefined;
  /** When the last commit was sent (performance clock). */
  #lastAt = -Infinity;
  /** Least time from the last commit to the next one. */
  #restMs = COMMIT_EVERY_MS;
  /** Ends the pause before the next commit. */
  #hurry: (() => void) | undefined;
  #isFlushing = false;
  #reportedAt = -Infinity;
  /** Failures since the last report. */
  #unreported = 0;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  add(partition: TopicPartition, offset: number): void {
    this.#waiting.set(partition, offset);
    this.kick();
  }

  /** Retries the waiting offsets after the group was joined again. */
  kick(): void {
    this.#running ??= this.#run();
  }

  /** Commits the waiting offsets, within 2 s. */
  async flush(): Promise<void> {
    const deadline = performance.now() + FLUSH_TIMEOUT_MS;
    this.#isFlushing = true;
    this.#hurry?.();
    await within(this.#running, deadline);
    if (this.#waiting.size > 0) {
      this.kick();
      await within(this.#running, deadline);
    }
    this.#isFlushing = false;
  }

  /**
   * Resolves when no offset of these partitions waits to be committed. Committing requires a membership: this waits
   * for a join that is under way. Resolves in any case after 20 s, or when the signal aborts.
   */
  async settled(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS;
    const isPending = (of: TopicPartition): boolean =>
      this.#waiting.get(of) !== undefined ||
      this.#sent.some(({ topic, partition }) => topic === of.topic && partition === of.partition);
    while (partitions.some(isPending) && !signal.aborted && performance.now() < deadline)
      await sleep(SETTLE_CHECK_MS);
  }

  async #run(): Promise<void> {
    // Offsets added in the same turn are committed together.
    await Promise.resolve();
    try {
      while (this.#waiting.size > 0) {
        await this.#pause();
        const { member } = this.#options.membership;
        if (member === undefined) return;
        this.#lastAt = performance.now();
        if (await this.#commit(member)) this.#restMs = COMMIT_EVERY_MS;
        else if (this.#isFlushing) return;
      }
    } finally {
      // In the same turn as the last check for waiting offsets: an offset added later starts the next run.
      this.#running = undefined;
    }
  }

  /** @returns whether the waiting offsets were committed */
  async #commit(member: Member): Promise<boolean> {
    const { group, metadata, membership, isOurs } = this.#options;
    const taken = [...this.#waiting].filter(([of]) => isOurs(of));
    const offsets = taken.map(([of, offset]) => ({ ...of, offset, metadata }));
    this.#waiting.clear();
    if (taken.length === 0) return true;
    this.#sent = taken.map(([of]) => of);
    try {
      const node = await membership.node();
      await node.offsetCommit({
        groupId: group,
        groupGenerationId: member.generationId,
        memberId: member.memberId,
        topics: [...byTopic(offsets)].map(([topic, partitions]) => ({ topic, partitions })),
      });
      return true;
    } catch (error) {
      for (const [partition, offset] of taken) {
        if (this.#waiting.get(partition) === undefined) this.#waiting.set(partition, offset);
      }
      this.#restMs = Math.min(Math.max(this.#restMs * 2, REST_MS), LONGEST_REST_MS);
      const answer = answerOf(error);
      if (answer === 'ILLEGAL_GENERATION' || answer === 'UNKNOWN_MEMBER_ID') membership.rejoin(member);
      else if (isPassing(error)) membership.lose();
      // In a rebalance, the next generation commits them: not a failure to report.
      if (answer !== 'REBALANCE_IN_PROGRESS') this.#report(error);
      return false;
    } finally {
      this.#sent = [];
    }
  }

  #report(error: unknown): void {
    const { group, onEvent } = this.#options;
    this.#unreported += 1;
    if (performance.now() - this.#reportedAt < REPORT_EVERY_MS) return;
    const times = this.#unreported === 1 ? '' : ` (${this.#unreported} times)`;
    this.#reportedAt = performance.now();
    this.#unreported = 0;
    const message = error instanceof Error ? error.message : String(error);
    onEvent({
      kind: 'commit_failed',
      message: `offsets of group ${group} not committed${times}: ${message}`,
    });
  }

  async #pause(): Promise<void> {
    const restMs = this.#lastAt + this.#restMs - performance.now();
    if (this.#isFlushing || restMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, restMs);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

async function within(promise: Promise<void> | undefined, deadline: number): Promise<void> {
  if (promise === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(deadline - performance.now(), 0));
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
