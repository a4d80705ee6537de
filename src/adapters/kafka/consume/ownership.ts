import type { TopicPartition } from '../../../ports/store.ts';
import { PartitionMap } from '../partition-map.ts';

export interface OwnershipOptions {
  readonly signal: AbortSignal;
  /** Called when these partitions must no longer be read. */
  readonly onStop: (partitions: readonly TopicPartition[]) => void;
  /** Resolves when no batch of these partitions is being processed. */
  readonly released: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** Resolves when the offsets read of these partitions are committed, or cannot be for long. */
  readonly committed: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** See RunOptions. */
  readonly onAssigned: (partitions: readonly TopicPartition[]) => Promise<void>;
  readonly onRevoked: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** Called with all partitions that are ours and whose positions are known: these are read from now on. */
  readonly onReady: (partitions: readonly TopicPartition[]) => void;
  /** Called when partitions were given back, so that another join can assign them to other members. */
  readonly onGivenBack: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** A partition from its assignment until it is lost; compared by identity, since it may be assigned again. */
interface Assignment {
  readonly of: TopicPartition;
  state: 'assigned' | 'ready' | 'leaving';
}

/**
 * Which partitions are ours. As in KIP-429, partitions that we keep are read on through a join. Partitions that we
 * must give back are still claimed until their last batch is stored and committed; only then do we join again, so no
 * other member has them before. Only the commit, from which no member resumes, is abandoned if the group accepts none
 * for long.
 */
export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #owned = new PartitionMap<Assignment>();
  /** The partitions that were announced to the application. */
  readonly #announced = new PartitionMap<true>();
  /** One change after another: a partition is given back before it is assigned again. */
  #tail = Promise.resolve();

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  /** The partitions that a join claims. */
  claims(): TopicPartition[] {
    return this.#owned.keys();
  }

  has(partition: TopicPartition): boolean {
    return this.#owned.get(partition) !== undefined;
  }

  /** The group was joined: the assigned partitions are ours from now on. */
  joined(assigned: readonly TopicPartition[]): void {
    const wanted = new PartitionMap<true>(assigned.map((partition) => [partition, true]));
    const added = assigned
      .filter((partition) => !this.has(partition))
      .map((of): Assignment => ({ of, state: 'assigned' }));
    const lost = this.#staying().filter(({ of }) => wanted.get(of) === undefined);
    for (const assignment of added) this.#owned.set(assignment.of, assignment);
    for (const assignment of lost) assignment.state = 'leaving';
    this.#options.onStop(partitionsOf(lost));
    this.#then(async () => {
      if (lost.length > 0) await this.#giveBack(lost);
      await this.#take(added);
    });
  }

  /** The group has continued without us: no partition is ours any more, and other members may have them. */
  expired(): void {
    // Partitions that are being given back are handled already.
    const lost = partitionsOf(this.#staying());
    const { onStop, released } = this.#options;
    this.#owned.clear();
    onStop(lost);
    this.#then(async () => {
      await released(lost);
      await this.#revoke(lost);
    });
  }

  #staying(): Assignment[] {
    return this.#owned.values().filter(({ state }) => state !== 'leaving');
  }

  async #giveBack(lost: readonly Assignment[]): Promise<void> {
    const { released, committed, onGivenBack } = this.#options;
    const partitions = partitionsOf(lost);
    await released(partitions);
    await committed(partitions);
    await this.#revoke(partitions);
    for (const assignment of lost) if (this.#isInForce(assignment)) this.#owned.delete(assignment.of);
    onGivenBack();
  }

  async #take(added: readonly Assignment[]): Promise<void> {
    const { onAssigned, onReady } = this.#options;
    const isOurs = (one: Assignment): boolean => this.#isInForce(one) && one.state === 'assigned';
    const still = added.filter(isOurs);
    for (const { of } of still) this.#announced.set(of, true);
    if (still.length > 0) await onAssigned(partitionsOf(still));
    // Some may have been lost meanwhile, and even assigned again, which is another assignment.
    for (const assignment of still.filter(isOurs)) assignment.state = 'ready';
    onReady(partitionsOf(this.#owned.values().filter(({ state }) => state === 'ready')));
  }

  #isInForce(assignment: Assignment): boolean {
    return this.#owned.get(assignment.of) === assignment;
  }

  /** Only partitions that were announced are reported as lost. */
  async #revoke(lost: readonly TopicPartition[]): Promise<void> {
    const known = lost.filter((partition) => this.#announced.get(partition) === true);
    for (const partition of known) this.#announced.delete(partition);
    if (known.length > 0) await this.#options.onRevoked(known);
  }

  #then(change: () => Promise<void>): void {
    const { signal, onFailed } = this.#options;
    this.#tail = this.#tail
      .then(async () => {
        if (!signal.aborted) await change();
      })
      .catch(onFailed);
  }
}

function partitionsOf(assignments: readonly Assignment[]): TopicPartition[] {
  return assignments.map(({ of }) => of);
}
