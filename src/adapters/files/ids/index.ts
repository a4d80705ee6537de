import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import { errorCode, writeFailure, type FileSystem } from '../fs.ts';
import { least, RunCursor, TableCursor, type EntryCursor } from './cursors.ts';
import { IdRun } from './run.ts';
import { IdRunWriter } from './run-writer.ts';
import { compareEntries, ENTRY_WORDS, hashKey, IdTable, type IdHash, type IdPlace } from './table.ts';

/**
 * Where the lines of a key are; the ids of decided orders are keys too. The newest entries are in memory, the others in
 * immutable sorted runs. It is a view: a damaged index can be replaced by one that is opened without runs and filled
 * from the logs by `add` and `seal`.
 */
export interface IdIndex {
  add(key: string, place: IdPlace): void;
  /**
   * @returns candidates by 64-bit hash, in no order: for an order id usually none or one. The caller verifies each by
   * reading its line. A place may occur twice.
   * @param log the number of a log of facts; omitted: decisions
   * @throws Failure corrupt_state
   */
  find(key: string, log?: number): readonly IdPlace[];
  /**
   * Visits every entry once, in order of its hash. Nothing may be added meanwhile.
   *
   * @param onEntry receives the words of an entry at `at`; they are valid only during the call
   * @throws Failure corrupt_state
   */
  visit(onEntry: (words: Uint32Array, at: number) => void): void;
  /** The number of entries in memory that are not yet in a run. */
  readonly pending: number;
  /**
   * Moves the entries in memory into an immutable run, durable when this resolves. More may be added meanwhile; only
   * one `seal` may run at a time.
   *
   * @returns the names of all runs that now make up the index, for the checkpoint
   */
  seal(): Promise<readonly string[]>;
  /** Merges runs in slices of a few milliseconds when there are too many; the next `seal` names the merged run. */
  mergeIfDue(): Promise<void>;
  /**
   * @returns the names of the runs that can be removed: all but those in use and those in `named`, from a checkpoint
   */
  unused(named: readonly string[]): readonly string[];
  /** Abandons a merge in progress. */
  close(): void;
}

const RUN_NAME = /^ids\.(\d{1,15})$/;
/** An id that does not exist is looked up in the filter of each run. */
const MAX_RUNS = 6;
const MERGED_AT_LEAST = 3;
/** How long a slice of background work may block the process. */
const SLICE_MS = 4;
const NOTHING: readonly IdPlace[] = Object.freeze([]);

/**
 * @param folder the `.orderctl` directory
 * @param runs as the checkpoint names them
 * @throws Failure corrupt_state when a named run is missing or damaged: the owner of the folder rebuilds the index; a
 * reader checks whether a newer checkpoint names others
 */
export function openIdIndex(files: FileSystem, folder: string, runs: readonly string[]): IdIndex {
  return new FileIdIndex(files, folder, runs);
}

class FileIdIndex implements IdIndex {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #hash: IdHash = { high: 0, low: 0 };
  /** The state of the look-up in progress. */
  readonly #found: IdPlace[] = [];
  #runs: IdRun[] = [];
  #table = new IdTable();
  #sealing: IdTable | null = null;
  readonly #writing = new Set<string>();
  #merging: Promise<void> | null = null;
  #lastNumber = 0;
  #closed = false;

  constructor(files: FileSystem, folder: string, runs: readonly string[]) {
    this.#files = files;
    this.#folder = folder;
    try {
      for (const name of runs) this.#runs.push(new IdRun(files, folder, name));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get pending(): number {
    return this.#table.size + (this.#sealing?.size ?? 0);
  }

  add(key: string, place: IdPlace): void {
    hashKey(key, place.log, this.#hash);
    this.#table.add(this.#hash, place);
  }

  find(key: string, log = 0): readonly IdPlace[] {
    const hash = this.#hash;
    hashKey(key, log, hash);
    const found = this.#found;
    found.length = 0;
    this.#table.find(hash, found);
    this.#sealing?.find(hash, found);
    for (const run of this.#runs) run.find(hash, found);
    return found.length === 0 ? NOTHING : found.splice(0);
  }

  visit(onEntry: (words: Uint32Array, at: number) => void): void {
    const cursors: EntryCursor[] = [
      new TableCursor(this.#table),
      ...this.#runs.map((run) => new RunCursor(run)),
    ];
    const last = new Uint32Array(ENTRY_WORDS);
    let isFirst = true;
    for (let next = least(cursors); next !== undefined; next = least(cursors)) {
      if (isFirst || compareEntries(next.words, next.at, last, 0) !== 0) onEntry(next.words, next.at);
      for (let word = 0; word < ENTRY_WORDS; word++) last[word] = next.words[next.at + word] ?? 0;
      isFirst = false;
      next.advance();
    }
  }

  async seal(): Promise<readonly string[]> {
    if (this.#table.size > 0) {
      const table = this.#table;
      this.#sealing = table;
      // As many entries are expected until the next checkpoint.
      this.#table = new IdTable(table.size);
      const run = await this.#write(table.size, async (writer) => {
        const turn = new Turn();
        for (const sorted of table.sorted()) {
          for (let at = 0; at < sorted.length; at += ENTRY_WORDS) writer.add(sorted, at);
          if (turn.isOver(sorted.length / ENTRY_WORDS)) await turn.next();
        }
        return true;
      });
      if (run !== null) this.#runs.push(run);
      this.#sealing = null;
    }
    return this.#runs.map(({ name }) => name);
  }

  async mergeIfDue(): Promise<void> {
    this.#merging ??= this.#merge().finally(() => (this.#merging = null));
    await this.#merging;
  }

  unused(named: readonly string[]): readonly string[] {
    const kept = new Set([...named, ...this.#runs.map(({ name }) => name), ...this.#writing]);
    return this.#files.list(this.#folder).filter((name) => RUN_NAME.test(name) && !kept.has(name));
  }

  close(): void {
    this.#closed = true;
    for (const run of this.#runs.splice(0)) run.close();
  }

  async #merge(): Promise<void> {
    const inputs = chooseInputs(this.#runs);
    if (inputs.length === 0) return;
    const total = inputs.reduce((sum, { entries }) => sum + entries, 0);
    const merged = await this.#write(total, async (writer) => {
      const cursors = inputs.map((run) => new RunCursor(run));
      const turn = new Turn();
      for (let first = least(cursors); first !== undefined; first = least(cursors)) {
        writer.add(first.words, first.at);
        first.advance();
        if (!turn.isOver(1)) continue;
        await turn.next();
        if (this.#closed) return false;
      }
      return true;
    });
    if (merged === null) return;
    // The index was closed meanwhile, and the inputs with it.
    if (this.#closed) {
      merged.close();
      return;
    }
    this.#runs = [merged, ...this.#runs.filter((run) => !inputs.includes(run))];
    for (const run of inputs) run.close();
  }

  /** @returns null when the index was closed meanwhile */
  async #write(atMost: number, fill: (writer: IdRunWriter) => Promise<boolean>): Promise<IdRun | null> {
    const name = this.#nextName();
    this.#writing.add(name);
    const writer = new IdRunWriter(this.#files, this.#folder, name, atMost);
    try {
      if (!(await fill(writer))) {
        writer.abandon();
        return null;
      }
      await writer.finish();
      if (this.#closed) return null;
      return new IdRun(this.#files, this.#folder, name);
    } catch (error) {
      writer.abandon();
      throw error instanceof Failure || errorCode(error) === undefined
        ? error
        : writeFailure(error, path.join(this.#folder, name));
    } finally {
      this.#writing.delete(name);
    }
  }

  /** Above every existing number: a run that a crash left behind is never overwritten. */
  #nextName(): string {
    for (const name of this.#files.list(this.#folder)) {
      this.#lastNumber = Math.max(this.#lastNumber, Number(RUN_NAME.exec(name)?.[1] ?? 0));
    }
    this.#lastNumber += 1;
    return `ids.${this.#lastNumber}`;
  }
}

/** The smallest runs, and each next one that is not larger than all before it together. */
function chooseInputs(runs: readonly IdRun[]): readonly IdRun[] {
  if (runs.length <= MAX_RUNS) return [];
  const bySize = [...runs].sort((a, b) => a.entries - b.entries);
  const inputs: IdRun[] = [];
  let total = 0;
  for (const run of bySize) {
    if (inputs.length >= MERGED_AT_LEAST && run.entries > total) break;
    inputs.push(run);
    total += run.entries;
  }
  return inputs;
}

/** Background work in slices; the clock is checked only every few hundred steps. */
class Turn {
  #steps = 0;
  #since = performance.now();

  isOver(steps: number): boolean {
    this.#steps += steps;
    if (this.#steps < 512) return false;
    this.#steps = 0;
    return performance.now() - this.#since >= SLICE_MS;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#since = performance.now();
  }
}
