import type { Decided } from '../../domain/orders/decided.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreReader } from '../../ports/store.ts';
import { matchesOrder, type OrderFilter } from './filter.ts';

export interface ListOrdersOptions {
  /** null: both, in the order of their decisions. */
  readonly status: 'accepted' | 'rejected' | null;
  readonly filter: OrderFilter;
  /** How many at most: reading ends with the last of them. */
  readonly limit: number;
  /** Called again when it has resolved: the listener sets the pace. */
  readonly onOrders: (orders: readonly Decided[]) => Promise<void>;
}

/**
 * Hands out decided orders as they are read: their number does not matter. Goes beside a running consumer.
 *
 * @returns whether there are more than the limit
 */
export async function listOrders(
  access: StoreAccess,
  { status, filter, limit, onOrders }: ListOrdersOptions,
): Promise<{ hasMore: boolean }> {
  await using reader = await access.read();
  let left = limit;
  for await (const chunk of status === null ? inDecisionOrder(reader) : reader.decisions(status)) {
    const matching = chunk.filter((decided) => matchesOrder(decided, filter));
    const wanted = matching.slice(0, left);
    if (wanted.length > 0) await onOrders(wanted);
    if (matching.length > left) return { hasMore: true };
    left -= wanted.length;
  }
  return { hasMore: false };
}

/** Both logs as one, in chunks. The order within each is kept; between them the time of the decision tells. */
export async function* inDecisionOrder(reader: StoreReader): AsyncGenerator<readonly Decided[]> {
  await using accepted = new Cursor(reader.decisions('accepted'));
  await using rejected = new Cursor(reader.decisions('rejected'));
  for (;;) {
    await accepted.fill();
    await rejected.fill();
    const merged: Decided[] = [];
    for (let [a, r] = [accepted.head, rejected.head]; a !== undefined && r !== undefined;) {
      if (isBefore(r, a)) {
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

/** One commit bears one time: within it the records of a partition were decided in order of their offsets. */
function isBefore(one: Decided, other: Decided): boolean {
  if (one.decidedAt !== other.decidedAt) return one.decidedAt < other.decidedAt;
  return one.record.partition === other.record.partition && one.record.offset < other.record.offset;
}

/** Where reading a log in chunks stands. */
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

  /** Goes past what is left of the chunk. */
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
