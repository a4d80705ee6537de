import type { TopicPartition } from '../../../ports/store.ts';
import { PartitionMap } from '../partition-map.ts';

export interface OwnershipOptions {
  readonly signal: AbortSignal;
  /** Reads no more of these. */
  readonly onStop: (partitions: readonly TopicPartition[]) => void;
  /** Resolves when no batch of these is in hand. */
  readonly released: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** Resolves when what was read of these is committed, or cannot be for long. */
  readonly committed: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** As RunOptions. */
  readonly onAssigned: (partitions: readonly TopicPartition[]) => Promise<void>;
  readonly onRevoked: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** These are ours, and their positions are known: all that are read, from now on. */
  readonly onReady: (partitions: readonly TopicPartition[]) => void;
  /** What was given back can be given to others, by another join. */
  readonly onGivenBack: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** A partition from the time that it was assigned until it is gone; known by its identity, since it may come back. */
interface Assignment {
  readonly of: TopicPartition;
  state: 'assigned' | 'ready' | 'leaving';
}

/**
 * Which partitions are ours. As in KIP-429, those that we keep are read on through a join; those that we are to give
 * back we still claim until their last batch is stored and committed, and then join again, so that nobody else has
 * them before. Only the commit, which nobody reads by, is given up on where the group takes none for long.
 */
export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #owned = new PartitionMap<Assignment>();
  /** Of which the application has heard. */
  readonly #announced = new PartitionMap<true>();
  /** One change after the other: what is given back before it is assigned again. */
  #tail = Promise.resolve();

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  /** What a join claims. */
  claims(): TopicPartition[] {
    return this.#owned.keys();
  }

  has(partition: TopicPartition): boolean {
    return this.#owned.get(partition) !== undefined;
  }

  /** The group was joined: these are ours from now on. */
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

  /** The group has gone on without us: nothing is ours any more, and others may have it. */
  expired(): void {
    // What is being given back is on its way already.
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
    // Some may have gone meanwhile, and even come back, which is another assignment.
    for (const assignment of still.filter(isOurs)) assignment.state = 'ready';
    onReady(partitionsOf(this.#owned.values().filter(({ state }) => state === 'ready')));
  }

  #isInForce(assignment: Assignment): boolean {
    return this.#owned.get(assignment.of) === assignment;
  }

  /** Of what was never announced nobody is to hear that it went. */
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
