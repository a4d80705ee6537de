import type { Decided } from '../../../domain/orders/decided.ts';
import { isFailure } from '../../../domain/failure.ts';
import type { FileSystem } from '../fs.ts';
import type { Fact } from '../../../domain/facts.ts';
import type { LogView } from '../logs/log.ts';
import type { IdIndex } from './index.ts';
import type { IndexedLog, KnownFacts } from './indexed-logs.ts';
import { findFacts, lookUp, rebuildIndex, type ViewOf } from './lookup.ts';
import { RecentFacts, type KeyedFacts } from './recent-facts.ts';

/** Keys, and where the line of each begins. */
export interface KeyedLines {
  readonly keys: readonly string[];
  readonly starts: readonly number[];
}

interface Around {
  /** A log up to its present end. */
  readonly view: ViewOf;
  /** The existing logs. */
  readonly logs: () => readonly IndexedLog[];
  /** Called when the next checkpoint has to name other runs. */
  readonly onRebuilt: () => void;
  /** Called when a merge fails. */
  readonly onFailure: (error: unknown) => void;
}

/** The index of the logs, as the owner of the folder holds it. When it is damaged it is built again from them. */
export class OwnedIndex {
  readonly #files: FileSystem;
  readonly #inner: string;
  readonly #around: Around;
  readonly #recent = new RecentFacts();
  #index: IdIndex;
  #merge: Promise<void> = Promise.resolve();
  /** A merge has found it damaged. */
  #isDamaged = false;
  /** Made once: an id is looked up for every order. */
  readonly #rebuilt = (): IdIndex => (this.#index = this.#built());

  constructor(files: FileSystem, inner: string, index: IdIndex, around: Around) {
    this.#files = files;
    this.#inner = inner;
    this.#index = index;
    this.#around = around;
  }

  /**
   * @param log its number
   * @param base where the lines begin in the log
   */
  add(log: number, { keys, starts }: KeyedLines, base: number): void {
    for (let index = 0; index < keys.length; index++) {
      this.#index.add(keys[index] ?? '', { log, position: base + (starts[index] ?? 0) });
    }
  }

  /** As `add`, of facts. */
  addFacts(log: number, lines: KeyedLines & KeyedFacts, base: number): void {
    this.add(log, lines, base);
    this.#recent.add(log, lines);
  }

  decided(orderId: string): Decided | undefined {
    if (this.#isDamaged) this.rebuild();
    return lookUp(orderId, this.#index, this.#around.view, this.#rebuilt);
  }

  /** As `facts` of State. */
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

  /** As `seal` of IdIndex. */
  async seal(): Promise<readonly string[]> {
    let index = this.#index;
    let names = await index.seal();
    // A look-up that met damage has replaced the index meanwhile, so these are not all ids.
    while (index !== this.#index) {
      index = this.#index;
      names = await index.seal();
    }
    return names;
  }

  /** As `unused` of IdIndex. */
  unused(named: readonly string[]): readonly string[] {
    return this.#index.unused(named);
  }

  /** Merges runs in the background if there are too many. */
  startMerge(): void {
    this.#merge = this.#index.mergeIfDue().catch((error: unknown) => {
      // The index is a view: the next look-up builds it again.
      if (isFailure(error, 'corrupt_state')) this.#isDamaged = true;
      else this.#around.onFailure(error);
    });
  }

  /** Resolves when the merge under way is over. */
  merged(): Promise<void> {
    return this.#merge;
  }

  close(): void {
    this.#index.close();
  }
}
