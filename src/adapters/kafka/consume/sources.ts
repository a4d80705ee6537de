import { byTopic } from '../../../domain/topics/by-topic.ts';
import type { Position } from '../../../ports/store.ts';
import type { PartitionMap } from '../partition-map.ts';
import { topicMissing } from '../protocol/errors.ts';
import type { Joined } from './membership.ts';
import { partitionsRead, refusedByTopic, throwFirst } from './positions.ts';

/** A topic that is missing for this long was deleted, not moved. */
const TOPIC_MISSING_MS = 10_000;

export interface SourcesOptions {
  readonly topics: readonly string[];
  readonly addresses: string;
  /** The positions in force now. */
  readonly positions: () => PartitionMap<Position>;
  /** Called when a topic has other partitions than when the group was joined. */
  readonly onGrown: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** The topics that are read, checked at each reading of the leaders: deleted, grown, or in another cluster. */
export class Sources {
  readonly #options: SourcesOptions;
  /** How many partitions of each topic were divided when the group was joined; undefined if another member did that. */
  #counts: ReadonlyMap<string, number> | undefined;
  #others: readonly string[] = [];
  readonly #missingSince = new Map<string, number>();

  constructor(options: SourcesOptions) {
    this.#options = options;
  }

  /** Topics of other members whose partitions this one divides, so this one must notice when they grow. */
  get others(): readonly string[] {
    return this.#others;
  }

  /** The number of partitions that each topic had before, as far as they were read. */
  partitionsRead(): ReadonlyMap<string, number> {
    const positions = byTopic(this.#options.positions().values());
    return new Map([...positions].map(([topic, all]) => [topic, partitionsRead(all)]));
  }

  joined({ divided, others }: Pick<Joined, 'divided' | 'others'>): void {
    this.#others = others;
    const topics = divided === null ? undefined : [...byTopic(divided)];
    this.#counts = topics && new Map(topics.map(([topic, all]) => [topic, all.length]));
  }

  /**
   * @param read the partitions of each topic; one that does not exist is absent
   * @param madeAgain topics that were deleted and recreated since the last time
   * @throws Failure topic_changed
   */
  saw(read: ReadonlyMap<string, readonly number[]>, clusterId: string, madeAgain: ReadonlySet<string>): void {
    const { topics } = this.#options;
    const positions = byTopic(this.#options.positions().values());
    for (const topic of topics) {
      const partitions = read.get(topic);
      if (partitions === undefined) {
        this.#missing(topic);
        continue;
      }
      this.#missingSince.delete(topic);
      const cluster = { clusterId, partitions, isMadeAgain: madeAgain.has(topic) };
      throwFirst(refusedByTopic(positions.get(topic) ?? [], cluster));
      this.#count(topic, partitions.length);
    }
    for (const topic of this.#others) {
      const partitions = read.get(topic);
      // If it was deleted, the members that read it notice.
      if (partitions !== undefined) this.#count(topic, partitions.length);
    }
  }

  #count(topic: string, count: number): void {
    if (this.#counts !== undefined && count !== this.#counts.get(topic)) this.#options.onGrown();
  }

  #missing(topic: string): void {
    const { addresses, onFailed } = this.#options;
    const since = this.#missingSince.get(topic) ?? performance.now();
    this.#missingSince.set(topic, since);
    if (performance.now() - since >= TOPIC_MISSING_MS) onFailed(topicMissing(topic, addresses));
  }
}
