import type { TopicPartition } from '../../ports/store.ts';

/** A map by topic and partition, in insertion order. */
export class PartitionMap<T> {
  readonly #entries = new Map<string, readonly [TopicPartition, T]>();

  constructor(entries: Iterable<readonly [TopicPartition, T]> = []) {
    for (const [of, value] of entries) this.set(of, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(of: TopicPartition): T | undefined {
    return this.#entries.get(keyOf(of))?.[1];
  }

  set(of: TopicPartition, value: T): void {
    this.#entries.set(keyOf(of), [of, value]);
  }

  delete(of: TopicPartition): void {
    this.#entries.delete(keyOf(of));
  }

  clear(): void {
    this.#entries.clear();
  }

  [Symbol.iterator](): IterableIterator<readonly [TopicPartition, T]> {
    return this.#entries.values();
  }

  keys(): TopicPartition[] {
    return [...this].map(([of]) => of);
  }

  values(): T[] {
    return [...this].map(([, value]) => value);
  }
}

/** Topic names contain no slashes. */
function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
