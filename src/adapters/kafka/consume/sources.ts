import { byTopic } from '../../../domain/topics/by-topic.ts';
import type { Position } from '../../../ports/store.ts';
import type { PartitionMap } from '../partition-map.ts';
import { topicMissing } from '../protocol/errors.ts';
import type { Joined } from './membership.ts';
import { partitionsRead, refusedByTopic, throwFirst } from './positions.ts';

/** A topic that is gone that long was deleted, not moved. */
const TOPIC_MISSING_MS = 10_000;

export interface SourcesOptions {
  readonly topics: readonly string[];
  readonly addresses: string;
  /** The positions in force now. */
  readonly positions: () => PartitionMap<Position>;
  /** A topic has other partitions than when the group was joined. */
  readonly onGrown: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** The topics that are read, as they are each time that the leaders are read: gone, grown, or of another cluster. */
export class Sources {
  readonly #options: SourcesOptions;
  /** How many partitions of each were divided when the group was joined; undefined where another member did that. */
  #counts: ReadonlyMap<string, number> | undefined;
  #others: readonly string[] = [];
  readonly #missingSince = new Map<string, number>();

  constructor(options: SourcesOptions) {
    this.#options = options;
  }

  /** Topics of other members whose partitions this one divides: whether they grow is for it to see. */
  get others(): readonly string[] {
    return this.#others;
  }

  /** How many partitions each topic had before, as far as they were read. */
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
   * @param read the partitions of each topic; one that is not there is absent
   * @param madeAgain topics that were deleted and made again since the last time
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
      // Where it is gone, the members that read it find out.
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
