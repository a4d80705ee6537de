import { StateLog, type Change } from '../state-log.ts';

export interface CommittedOffset {
  readonly offset: number;
  /** Leader epoch of the last record, −1 when not given. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Milliseconds since the epoch. */
  readonly committedAt: number;
}

export interface PartitionOffset extends CommittedOffset {
  readonly topic: string;
  readonly partition: number;
}

/** Identifies a committed offset or, with a producer id, one pending in a transaction. */
type Key = readonly [group: string, topic: string, partition: number, producerId?: number];

/**
 * The offsets of all groups. Those committed in a transaction are pending until it ends. A call's changes are in the
 * file when it returns; after a crash, all of them or none.
 */
export class GroupOffsets {
  readonly #log: StateLog<CommittedOffset>;
  /** By group, then by topic and partition as one key. */
  readonly #committed = new Map<string, Map<string, PartitionOffset>>();
  /** By producer id, then by the key in the log. */
  readonly #pending = new Map<number, Map<string, PartitionOffset & { readonly group: string }>>();

  constructor(file: string) {
    this.#log = new StateLog(file);
    for (const [key, value] of this.#log) {
      const [group, topic, partition, producerId] = JSON.parse(key) as Key;
      const offset = { ...value, topic, partition };
      if (producerId === undefined) this.#putCommitted(group, offset);
      else this.#putPending(producerId, group, offset);
    }
  }

  /** Groups that have offsets, pending ones included. */
  groups(): Set<string> {
    const pending = [...this.#pending.values()].flatMap((offsets) => [...offsets.values()]);
    return new Set([...this.#committed.keys(), ...pending.map(({ group }) => group)]);
  }

  of(group: string): readonly PartitionOffset[] {
    return [...(this.#committed.get(group)?.values() ?? [])];
  }

  get(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#committed.get(group)?.get(placeOf(topic, partition));
  }

  /** Whether an open transaction may change it. */
  isUnstable(group: string, topic: string, partition: number): boolean {
    return [...this.#pending].some(([producerId, offsets]) =>
      offsets.has(keyOf(group, topic, partition, producerId)),
    );
  }

  commit(group: string, offsets: readonly PartitionOffset[]): void {
    this.#log.write(offsets.map((each) => [keyOf(group, each.topic, each.partition), valueOf(each)]));
    for (const each of offsets) this.#putCommitted(group, each);
  }

  /** Commits in the producer's transaction. */
  commitPending(producerId: number, group: string, offsets: readonly PartitionOffset[]): void {
    this.#log.write(
      offsets.map((each) => [keyOf(group, each.topic, each.partition, producerId), valueOf(each)]),
    );
    for (const each of offsets) this.#putPending(producerId, group, each);
  }

  /**
   * Ends the producer's transaction; without effect when it committed no offsets.
   *
   * @returns the groups of its offsets
   */
  endTransaction(producerId: number, committed: boolean): ReadonlySet<string> {
    const pending = this.#pending.get(producerId) ?? new Map<string, PartitionOffset & { group: string }>();
    const changes = [...pending].flatMap(([key, { group, ...each }]): Change<CommittedOffset>[] =>
      committed ? [[key], [keyOf(group, each.topic, each.partition), valueOf(each)]] : [[key]],
    );
    this.#log.write(changes);
    this.#pending.delete(producerId);
    if (committed) for (const { group, ...each } of pending.values()) this.#putCommitted(group, each);
    return new Set([...pending.values()].map(({ group }) => group));
  }

  delete(group: string, partitions: readonly { readonly topic: string; readonly partition: number }[]): void {
    const known = partitions.filter(
      ({ topic, partition }) => this.get(group, topic, partition) !== undefined,
    );
    this.#log.write(known.map(({ topic, partition }) => [keyOf(group, topic, partition)]));
    const offsets = this.#committed.get(group);
    for (const { topic, partition } of known) offsets?.delete(placeOf(topic, partition));
    if (offsets?.size === 0) this.#committed.delete(group);
  }

  close(): void {
    this.#log.close();
  }

  #putCommitted(group: string, offset: PartitionOffset): void {
    const offsets = this.#committed.get(group) ?? new Map<string, PartitionOffset>();
    offsets.set(placeOf(offset.topic, offset.partition), offset);
    this.#committed.set(group, offsets);
  }

  #putPending(producerId: number, group: string, offset: PartitionOffset): void {
    const offsets = this.#pending.get(producerId) ?? new Map<string, PartitionOffset & { group: string }>();
    offsets.set(keyOf(group, offset.topic, offset.partition, producerId), { ...offset, group });
    this.#pending.set(producerId, offsets);
  }
}

function keyOf(...key: Key): string {
  return JSON.stringify(key);
}

function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

function valueOf({ offset, leaderEpoch, metadata, committedAt }: PartitionOffset): CommittedOffset {
  return { offset, leaderEpoch, metadata, committedAt };
}
