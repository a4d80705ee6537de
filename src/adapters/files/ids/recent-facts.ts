import type { Fact } from '../../../domain/facts.ts';

/** At least this many keys of a log are kept, and at most twice as many: those of the orders in progress. */
const KEPT_KEYS = 4_000;

/** Appended facts, and the key of each. */
export interface KeyedFacts {
  readonly keys: readonly string[];
  readonly facts: readonly Fact[];
}

/** All facts of each key, in the order of their log. */
interface Kept {
  young: Map<string, readonly Fact[]>;
  old: Map<string, readonly Fact[]>;
}

/**
 * The facts of recently requested keys: each step of an order needs the facts of the steps before it. A key that was
 * never requested is not kept, since its log may have more facts than were added here.
 */
export class RecentFacts {
  readonly #logs = new Map<number, Kept>();
  readonly #keptKeys: number;

  constructor(keptKeys = KEPT_KEYS) {
    this.#keptKeys = keptKeys;
  }

  /**
   * @param log its number
   * @param read reads the facts from the log, when they are not known
   */
  of(log: number, key: string, read: () => readonly Fact[]): readonly Fact[] {
    const kept = this.#keptOf(log);
    const known = kept.young.get(key) ?? kept.old.get(key);
    if (known !== undefined) return known;
    const found = read();
    this.#keep(kept, key, found);
    return found;
  }

  /** Call this with all facts that are appended to a log, in order. */
  add(log: number, { keys, facts }: KeyedFacts): void {
    const kept = this.#logs.get(log);
    if (kept === undefined) return;
    for (const [index, fact] of facts.entries()) {
      const key = keys[index] ?? '';
      const known = kept.young.get(key) ?? kept.old.get(key);
      // A list that was handed out must not change.
      if (known !== undefined) this.#keep(kept, key, [...known, fact]);
    }
  }

  #keptOf(log: number): Kept {
    let kept = this.#logs.get(log);
    if (kept === undefined) this.#logs.set(log, (kept = { young: new Map(), old: new Map() }));
    return kept;
  }

  #keep(kept: Kept, key: string, known: readonly Fact[]): void {
    if (kept.young.size >= this.#keptKeys) {
      kept.old = kept.young;
      kept.young = new Map();
    }
    kept.young.set(key, known);
  }
}
