import { LineLog } from './line-log.ts';

/** A change of one key; a change without a value deletes the key. */
export type Change<V> = readonly [key: string, value: V] | readonly [key: string];

/** The file is compacted once it holds this many changes more than twice its keys. */
const SLACK_CHANGES = 1000;

/**
 * A small map that outlives the process: kept in memory, every change appended to a `LineLog`. A line is one atomic
 * set of changes.
 */
export class StateLog<V> implements Iterable<[string, V]> {
  readonly #log: LineLog;
  readonly #values = new Map<string, V>();
  #changes = 0;

  /** Opens or creates the file. @throws CorruptStateError */
  constructor(file: string) {
    this.#log = new LineLog(file, (changes) => this.#apply(changes as readonly Change<V>[]));
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.#values.entries();
  }

  /** All of the changes or, after a crash, none. Values must survive JSON unchanged. */
  write(changes: readonly Change<V>[]): void {
    if (changes.length === 0) return;
    this.#log.append(changes);
    this.#apply(changes);
    if (this.#changes <= 2 * this.#values.size + SLACK_CHANGES) return;
    this.#log.replaceWith([...this.#values].map((value) => [value]));
    this.#changes = this.#values.size;
  }

  set(key: string, value: V): void {
    this.write([[key, value]]);
  }

  delete(key: string): void {
    if (this.#values.has(key)) this.write([[key]]);
  }

  close(): void {
    this.#log.sync();
    this.#log.close();
  }

  #apply(changes: readonly Change<V>[]): void {
    this.#changes += changes.length;
    for (const change of changes) {
      if (change.length === 2) this.#values.set(change[0], change[1]);
      else this.#values.delete(change[0]);
    }
  }
}
