import type { TopicPartition } from '../../../ports/store.ts';
import { PartitionMap } from '../partition-map.ts';

export interface OwnershipOptions {
  readonly signal: AbortSignal;
  /** Reads no more of these. */
  readonly onStop: (partitions: readonly TopicPartition[]) => void;
  /** Resolves when no batch of these is in hand. */
  readonly released: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** Commits what waits, of these too. */
  readonly flush: () => Promise<void>;
  /** As RunOptions. */
  readonly onAssigned: (partitions: readonly TopicPartition[]) => Promise<void>;
  readonly onRevoked: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** These are ours, and their positions are known: all that are read, from now on. */
  readonly onReady: (partitions: readonly TopicPartition[]) => void;
  /** What was given back can be given to others, by another join. */
  readonly onGivenBack: () => void;
  readonly onFailed: (error: unknown) => void;
}

type State = 'assigned' | 'ready' | 'leaving';

/**
 * Which partitions are ours. As in KIP-429, those that we keep are read on through a join; those that we are to give
 * back we still claim until their last batch is stored and committed, and then join again, so that nobody else has
 * them before.
 */
export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #owned = new PartitionMap<State>();
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
    const added = assigned.filter((partition) => !this.has(partition));
    const lost = [...this.#owned].flatMap(([of, state]) =>
      state === 'leaving' || wanted.get(of) === true ? [] : [of],
    );
    for (const partition of added) this.#owned.set(partition, 'assigned');
    for (const partition of lost) this.#owned.set(partition, 'leaving');
    this.#options.onStop(lost);
    this.#then(async () => {
      if (lost.length > 0) await this.#giveBack(lost);
      await this.#take(added);
    });
  }

  /** The group has gone on without us: nothing is ours any more, and others may have it. */
  expired(): void {
    // What is being given back is on its way already.
    const lost = [...this.#owned].flatMap(([of, state]) => (state === 'leaving' ? [] : [of]));
    const { onStop, released } = this.#options;
    this.#owned.clear();
    onStop(lost);
    this.#then(async () => {
      await released(lost);
      await this.#revoke(lost);
    });
  }

  async #giveBack(lost: readonly TopicPartition[]): Promise<void> {
    const { released, flush, onGivenBack } = this.#options;
    await released(lost);
    await flush();
    await this.#revoke(lost);
    for (const partition of lost) if (this.#owned.get(partition) === 'leaving') this.#owned.delete(partition);
    onGivenBack();
  }

  async #take(added: readonly TopicPartition[]): Promise<void> {
    const { onAssigned, onReady } = this.#options;
    const isOurs = (partition: TopicPartition): boolean => this.#owned.get(partition) === 'assigned';
    const still = added.filter(isOurs);
    for (const partition of still) this.#announced.set(partition, true);
    if (still.length > 0) await onAssigned(still);
    // Some may have gone meanwhile.
    for (const partition of still.filter(isOurs)) this.#owned.set(partition, 'ready');
    onReady([...this.#owned].flatMap(([of, state]) => (state === 'ready' ? [of] : [])));
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
