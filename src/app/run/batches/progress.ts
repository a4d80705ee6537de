import type { PartitionRange } from '../../../ports/broker.ts';
import type { Position } from '../../../ports/store.ts';
import type { PartitionProgress } from '../events.ts';

/** How far each partition of a topic is from the end that it had at the start. */
export class Progress {
  readonly #byPartition = new Map<number, { first: number; next: number; goal: number; end: number }>();

  constructor(ranges: readonly PartitionRange[], positions: ReadonlyMap<number, Position>) {
    for (const { partition, start, end } of ranges) {
      const next = positions.get(partition)?.next ?? start;
      this.#byPartition.set(partition, { first: next, next, goal: end, end });
    }
  }

  advance(partition: number, next: number, highWatermark: number): void {
    const known = this.#byPartition.get(partition);
    if (known === undefined) {
      this.#byPartition.set(partition, { first: 0, next, goal: 0, end: Math.max(next, highWatermark) });
      return;
    }
    known.next = next;
    known.end = Math.max(known.end, next, highWatermark);
  }

  /** Extends the range to the present end of the topic. */
  raise(ranges: readonly PartitionRange[]): void {
    for (const { partition, start, end } of ranges) {
      const known = this.#byPartition.get(partition);
      if (known === undefined)
        this.#byPartition.set(partition, { first: start, next: start, goal: end, end });
      else {
        known.goal = Math.max(known.goal, end);
        known.end = Math.max(known.end, end);
      }
    }
  }

  atEnd(): boolean {
    for (const { next, goal } of this.#byPartition.values()) if (next < goal) return false;
    return true;
  }

  remaining(): number {
    let sum = 0;
    for (const { next, goal } of this.#byPartition.values()) sum += Math.max(0, goal - next);
    return sum;
  }

  /** Records that other processes have read, up to `next`. */
  passed(partition: number, next: number): void {
    const known = this.#byPartition.get(partition);
    if (known !== undefined) known.next = Math.max(known.next, next);
  }

  /** Records before the last known end. @param isOurs selects the partitions */
  lag(isOurs: (partition: number) => boolean): number {
    let sum = 0;
    for (const [partition, { next, end }] of this.#byPartition)
      if (isOurs(partition)) sum += Math.max(0, end - next);
    return sum;
  }

  partitions(): PartitionProgress[] {
    return [...this.#byPartition]
      .map(([partition, { first, next, end }]) => ({
        partition,
        first,
        next,
        end,
        lag: Math.max(0, end - next),
      }))
      .sort((a, b) => a.partition - b.partition);
  }
}
