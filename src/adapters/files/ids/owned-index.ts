import type { Decided } from '../../../domain/orders/decided.ts';
import { isFailure } from '../../../domain/failure.ts';
import type { FileSystem } from '../fs.ts';
import type { Fact } from '../../../domain/facts.ts';
import type { LogView } from '../logs/log.ts';
import type { IdIndex } from './index.ts';
import type { IndexedLog, KnownFacts } from './indexed-logs.ts';
import { findFacts, lookUp, rebuildIndex, type ViewOf } from './lookup.ts';
import { RecentFacts, type KeyedFacts } from './recent-facts.ts';

/** Keys, and where the line of each starts. */
export interface KeyedLines {
  readonly keys: readonly string[];
  readonly starts: readonly number[];
}

interface Around {
  /** A log up to its current end. */
  readonly view: ViewOf;
  /** The existing logs. */
  readonly logs: () => readonly IndexedLog[];
  /** Called when the next checkpoint must name other runs. */
  readonly onRebuilt: () => void;
  /** Called when a merge fails. */
  readonly onFailure: (error: unknown) => void;
}

/** The index of the logs, for the owner of the folder. A damaged index is rebuilt from the logs. */
export class OwnedIndex {
  readonly #files: FileSystem;
  readonly #inner: string;
  readonly #around: Around;
  readonly #recent = new RecentFacts();
  #index: IdIndex;
  #merge: Promise<void> = Promise.resolve();
  /** A merge has found the index damaged. */
  #isDamaged = false;
  /** Created once: an id is looked up for every order. */
  readonly #rebuilt = (): IdIndex => (this.#index = this.#built());

  constructor(files: FileSystem, inner: string, index: IdIndex, around: Around) {
    this.#files = files;
    this.#inner = inner;
    this.#index = index;
    this.#around = around;
  }

  /**
   * @param log its number
   * @param base where the lines start in the log
   */
  add(log: number, { keys, starts }: KeyedLines, base: number): void {
    for (let index = 0; index < keys.length; index++) {
      this.#index.add(keys[index] ?? '', { log, position: base + (starts[index] ?? 0) });
    }
  }

  /** Like `add`, for facts. */
  addFacts(log: number, lines: KeyedLines & KeyedFacts, base: number): void {
    this.add(log, lines, base);
    this.#recent.add(log, lines);
  }

  decided(orderId: string): Decided | undefined {
    if (this.#isDamaged) this.rebuild();
    return lookUp(orderId, this.#index, this.#around.view, this.#rebuilt);
  }

  /** See `State.facts`. */
  facts(log: KnownFacts, key: string, view: () => LogView): readonly Fact[] {
    if (this.#isDamaged) this.rebuild();
    return this.#recent.of(log.number, key, () => findFacts(key, log, this.#index, view(), this.#rebuilt));
  }

  rebuild(): void {
    this.#isDamaged = false;
    this.#index.close();
    this.#index = this.#built();
    this.#around.onRebuilt();
  }

  #built(): IdIndex {
    return rebuildIndex(this.#files, this.#inner, this.#around.logs(), this.#around.view);
  }

  /** See `IdIndex.seal`. */
  async seal(): Promise<readonly string[]> {
    let index = this.#index;
    let names = await index.seal();
    // A look-up that found damage has replaced the index meanwhile, so these runs do not have all ids.
    while (index !== this.#index) {
      index = this.#index;
      names = await index.seal();
    }
    return names;
  }

  /** See `IdIndex.unused`. */
  unused(named: readonly string[]): readonly string[] {
    return this.#index.unused(named);
  }

  /** Merges runs in the background if there are too many. */
  startMerge(): void {
    this.#merge = this.#index.mergeIfDue().catch((error: unknown) => {
      // The index is a view: the next look-up rebuilds it.
      if (isFailure(error, 'corrupt_state')) this.#isDamaged = true;
      else this.#around.onFailure(error);
    });
  }

  /** Resolves when the merge in progress has ended. */
  merged(): Promise<void> {
    return this.#merge;
  }

  close(): void {
    this.#index.close();
  }
}
