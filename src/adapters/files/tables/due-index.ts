import type { EffectKind } from '../../../domain/effects.ts';

interface Entry {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Keeps entries with the same time in their order. */
  readonly number: number;
}

/** Outdated entries stay in a heap until there are this many for each current one, and a few more. */
const LEFT_PER_ENTRY = 2;
const FEW = 1_000;

/**
 * Finds what is due first, among any number of entries, with a heap for each kind. An entry that was changed or removed
 * stays in its heap, and is skipped when it comes to the top.
 */
export class DueIndex {
  readonly #current = new Map<string, Entry>();
  readonly #heaps = new Map<EffectKind, Entry[]>();
  #number = 0;

  /** @param at milliseconds since the epoch; null: it is never due */
  set(id: string, kind: EffectKind, at: number | null): void {
    if (at === null) {
      this.#current.delete(id);
      return;
    }
    const entry = { id, at, number: this.#number++ };
    this.#current.set(id, entry);
    const heap = this.#heaps.get(kind);
    if (heap === undefined) this.#heaps.set(kind, [entry]);
    else if (heap.length <= LEFT_PER_ENTRY * this.#current.size + FEW) push(heap, entry);
    else this.#heaps.set(kind, [...heap.filter((one) => this.#counts(one)), entry].toSorted(compare));
  }

  delete(id: string): void {
    this.#current.delete(id);
  }

  /** When the first of these kinds is due, milliseconds since the epoch; null: none is due at any time. */
  next(kinds: readonly EffectKind[]): number | null {
    return this.#first(kinds)?.[0]?.at ?? null;
  }

  /** The ids of the effects that are due by `now`, the oldest first. */
  due(kinds: readonly EffectKind[], now: number, limit: number): readonly string[] {
    const found: (readonly [heap: Entry[], entry: Entry])[] = [];
    while (found.length < limit) {
      const heap = this.#first(kinds);
      const entry = heap?.[0];
      if (heap === undefined || entry === undefined || entry.at > now) break;
      pop(heap);
      found.push([heap, entry]);
    }
    // They stay due until they are set again or deleted.
    for (const [heap, entry] of found) push(heap, entry);
    return found.map(([, { id }]) => id);
  }

  /** The heap of these kinds whose first entry is current and due before those of the others. */
  #first(kinds: readonly EffectKind[]): Entry[] | undefined {
    let first: Entry[] | undefined;
    for (const kind of kinds) {
      const heap = this.#heaps.get(kind) ?? [];
      while (heap[0] !== undefined && !this.#counts(heap[0])) pop(heap);
      if (heap[0] !== undefined && (first?.[0] === undefined || compare(heap[0], first[0]) < 0)) first = heap;
    }
    return first;
  }

  #counts(entry: Entry): boolean {
    return this.#current.get(entry.id) === entry;
  }
}

function compare(a: Entry, b: Entry): number {
  return a.at - b.at || a.number - b.number;
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (parent === undefined || compare(parent, entry) <= 0) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = entry;
}

/** Removes the first entry. */
function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let childAt = 2 * at + 1;
    const right = heap[childAt + 1];
    let child = heap[childAt];
    if (child !== undefined && right !== undefined && compare(right, child) < 0) {
      child = right;
      childAt += 1;
    }
    if (child === undefined || compare(last, child) <= 0) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
}
