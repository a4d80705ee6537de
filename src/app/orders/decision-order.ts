import type { Decided } from '../../domain/orders/decided.ts';
import type { HistoryLine, StoreReader, StoreView } from '../../ports/store.ts';

/**
 * Both logs as one, in chunks: the order within each is kept, and the time of decision orders them against each
 * other.
 */
export function inDecisionOrder(reader: StoreReader): AsyncGenerator<readonly Decided[]> {
  return merged(reader.decisions('accepted'), reader.decisions('rejected'), isBefore);
}

/** The same from the last decision back. */
export function inDecisionOrderFromEnd(reader: StoreView): AsyncGenerator<readonly Decided[]> {
  const isAfter = (one: Decided, other: Decided): boolean => !isBefore(one, other);
  return merged(reader.decisionsFromEnd('accepted'), reader.decisionsFromEnd('rejected'), isAfter);
}

/** The decisions in a history, chunk by chunk. */
export async function* decisionsOf(
  history: AsyncIterable<readonly HistoryLine[]>,
): AsyncGenerator<readonly Decided[]> {
  for await (const lines of history) {
    const decided = lines.flatMap((line) => (line.kind === 'decision' ? [line.decided] : []));
    if (decided.length > 0) yield decided;
  }
}

/** @param comesFirst whether a rejection comes before an acceptance */
async function* merged(
  acceptances: AsyncIterable<readonly Decided[]>,
  rejections: AsyncIterable<readonly Decided[]>,
  comesFirst: (rejected: Decided, accepted: Decided) => boolean,
): AsyncGenerator<readonly Decided[]> {
  await using accepted = new Cursor(acceptances);
  await using rejected = new Cursor(rejections);
  for (;;) {
    await accepted.fill();
    await rejected.fill();
    const merged: Decided[] = [];
    for (let [a, r] = [accepted.head, rejected.head]; a !== undefined && r !== undefined;) {
      if (comesFirst(r, a)) {
        merged.push(r);
        r = rejected.next();
      } else {
        merged.push(a);
        a = accepted.next();
      }
    }
    if (accepted.isAtEnd) merged.push(...rejected.rest());
    else if (rejected.isAtEnd) merged.push(...accepted.rest());
    if (merged.length === 0) return;
    yield merged;
  }
}

/** A commit has one time; within it the records of a partition were decided in order of their offsets. */
function isBefore(one: Decided, other: Decided): boolean {
  if (one.decidedAt !== other.decidedAt) return one.decidedAt < other.decidedAt;
  return one.record.partition === other.record.partition && one.record.offset < other.record.offset;
}

/** How far a log has been read in chunks. */
class Cursor implements AsyncDisposable {
  readonly #chunks: AsyncIterator<readonly Decided[]>;
  #chunk: readonly Decided[] = [];
  #at = 0;
  isAtEnd = false;

  constructor(chunks: AsyncIterable<readonly Decided[]>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Undefined where `fill` has to be called, and at the end. */
  get head(): Decided | undefined {
    return this.#chunk[this.#at];
  }

  next(): Decided | undefined {
    this.#at += 1;
    return this.head;
  }

  /** Skips the rest of the chunk. */
  rest(): readonly Decided[] {
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
