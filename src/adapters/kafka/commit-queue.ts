import type { ConsumerEvent } from '../../ports/broker.ts';
import { answerOf, isPassing } from './errors.ts';
import type { Member } from './membership.ts';

const FLUSH_TIMEOUT_MS = 2_000;
/** The least time between two commits: each costs both sides about as much as a small batch. */
const COMMIT_EVERY_MS = 100;

export interface CommitQueueOptions {
  readonly topic: string;
  readonly group: string;
  readonly metadata: string;
  /** undefined while the group is not joined. */
  readonly member: () => Member | undefined;
  /** The group wants its members to join again, or the coordinator is away. */
  readonly onRejoin: () => void;
  readonly onEvent: (event: ConsumerEvent) => void;
}

/**
 * Commits the newest offset of each partition behind the reading, ten times a second at most. The stored position is
 * what counts, so a commit that fails is told and tried again with the next; it ends nothing.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  readonly #waiting = new Map<number, number>();
  #running: Promise<void> | undefined;
  /** When the last commit was sent (performance clock). */
  #lastAt = -Infinity;
  /** Ends the pause before the next one. */
  #hurry: (() => void) | undefined;
  #isFlushing = false;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  add(partition: number, offset: number): void {
    this.#waiting.set(partition, offset);
    this.kick();
  }

  /** Tries again what waits, after the group was joined anew. */
  kick(): void {
    this.#running ??= this.#run();
  }

  /** Commits what waits, within 2 s. */
  async flush(): Promise<void> {
    const deadline = Date.now() + FLUSH_TIMEOUT_MS;
    this.#isFlushing = true;
    this.#hurry?.();
    await within(this.#running, deadline);
    if (this.#waiting.size === 0) return;
    this.kick();
    await within(this.#running, deadline);
  }

  async #run(): Promise<void> {
    const { topic, group, metadata, member: current, onRejoin, onEvent } = this.#options;
    // Offsets added in the same turn go together.
    await Promise.resolve();
    try {
      while (this.#waiting.size > 0) {
        await this.#pause();
        const member = current();
        if (member === undefined) return;
        this.#lastAt = performance.now();
        const taken = [...this.#waiting];
        this.#waiting.clear();
        try {
          await member.node.offsetCommit({
            groupId: group,
            groupGenerationId: member.generationId,
            memberId: member.memberId,
            topics: [
              { topic, partitions: taken.map(([partition, offset]) => ({ partition, offset, metadata })) },
            ],
          });
        } catch (error) {
          for (const [partition, offset] of taken) {
            if (!this.#waiting.has(partition)) this.#waiting.set(partition, offset);
          }
          const answer = answerOf(error);
          if (answer === 'ILLEGAL_GENERATION' || answer === 'UNKNOWN_MEMBER_ID' || isPassing(error))
            onRejoin();
          // In a rebalance the next generation takes it, which is no failure to tell of.
          if (answer !== 'REBALANCE_IN_PROGRESS') {
            const message = error instanceof Error ? error.message : String(error);
            onEvent({
              kind: 'commit_failed',
              message: `offsets of group ${group} not committed: ${message}`,
            });
          }
          return;
        }
      }
    } finally {
      // In the same turn as the last look at what waits: what is added after it begins the next run.
      this.#running = undefined;
    }
  }

  async #pause(): Promise<void> {
    const restMs = this.#lastAt + COMMIT_EVERY_MS - performance.now();
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
    timer = setTimeout(resolve, Math.max(deadline - Date.now(), 0));
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
