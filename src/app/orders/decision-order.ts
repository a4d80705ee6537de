import type { Decided } from '../../domain/orders/decided.ts';
import type { HistoryLine, LineAt, StoreReader, StoreView } from '../../ports/store.ts';

/**
 * Merges both logs, in chunks: each keeps its own order, and the times of decisions order them against each other.
 */
export function inDecisionOrder(reader: StoreReader): AsyncGenerator<readonly Decided[]> {
  return merged(reader.decisions('accepted'), reader.decisions('rejected'), isBefore);
}

/** The same, from the last decision back. */
export function inDecisionOrderFromEnd(
  reader: Pick<StoreView, 'decisionsFromEnd'>,
): AsyncGenerator<readonly Decided[]> {
  const isAfter = (one: Decided, other: Decided): boolean => !isBefore(one, other);
  return merged(
    valuesOf(reader.decisionsFromEnd('accepted')),
    valuesOf(reader.decisionsFromEnd('rejected')),
    isAfter,
  );
}

/** The values of lines, without their places. */
export async function* valuesOf<T>(
  chunks: AsyncIterable<readonly LineAt<T>[]>,
): AsyncGenerator<readonly T[]> {
  for await (const chunk of chunks) yield chunk.map(({ value }) => value);
}

/** The decisions in a history, in chunks. */
export async function* decisionsOf(
  history: AsyncIterable<readonly HistoryLine[]>,
): AsyncGenerator<readonly Decided[]> {
  for await (const lines of history) {
    const decided = decisionsIn(lines);
    if (decided.length > 0) yield decided;
  }
}

export function decisionsIn(lines: readonly HistoryLine[]): readonly Decided[] {
  return lines.flatMap((line) => (line.kind === 'decision' ? [line.decided] : []));
}

/** Merges two sequences, in chunks. @param comesFirst whether an element of `others` comes before one of `ones` */
export async function* merged<T extends object>(
  ones: AsyncIterable<readonly T[]>,
  others: AsyncIterable<readonly T[]>,
  comesFirst: (other: T, one: T) => boolean,
): AsyncGenerator<readonly T[]> {
  await using first = new Cursor(ones);
  await using second = new Cursor(others);
  for (;;) {
    await first.fill();
    await second.fill();
    const merged: T[] = [];
    for (let [a, b] = [first.head, second.head]; a !== undefined && b !== undefined;) {
      if (comesFirst(b, a)) {
        merged.push(b);
        b = second.next();
      } else {
        merged.push(a);
        a = first.next();
      }
    }
    if (first.isAtEnd) merged.push(...second.rest());
    else if (second.isAtEnd) merged.push(...first.rest());
    if (merged.length === 0) return;
    yield merged;
  }
}

/** All decisions of a commit have the same time; those of one partition were made in the order of their offsets. */
export function isBefore(one: Decided, other: Decided): boolean {
  if (one.decidedAt !== other.decidedAt) return one.decidedAt < other.decidedAt;
  return one.record.partition === other.record.partition && one.record.offset < other.record.offset;
}

/** Reads a log that arrives in chunks, value by value. */
export class Cursor<T extends object> implements AsyncDisposable {
  readonly #chunks: AsyncIterator<readonly T[]>;
  #chunk: readonly T[] = [];
  #at = 0;
  isAtEnd = false;

  constructor(chunks: AsyncIterable<readonly T[]>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Undefined when `fill` must be called, and at the end. */
  get head(): T | undefined {
    return this.#chunk[this.#at];
  }

  next(): T | undefined {
    this.#at += 1;
    return this.head;
  }

  /** Takes the rest of the chunk. */
  rest(): readonly T[] {
    const rest = this.#chunk.slice(this.#at);
    this.#at = this.#chunk.length;
    return rest;
  }

  async fill(): Promise<void> {
    while (this.head === undefined && !this.isAtEnd) {
      const result = await this.#chunks.next();
      this.isAtEnd = result.done === true;
      this.#chunk = result.done === true ? [] : result.value;
      this.#at = 0;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }
}
