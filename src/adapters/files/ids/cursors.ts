import { CHUNK_BLOCKS } from './run-format.ts';
import type { IdRun } from './run.ts';
import { compareEntries, ENTRY_WORDS, type IdTable } from './table.ts';

/** A position among entries that are read in order of their hashes. */
export interface EntryCursor {
  readonly words: Uint32Array;
  readonly at: number;
  readonly atEnd: boolean;
  advance(): void;
}

export class TableCursor implements EntryCursor {
  words: Uint32Array = new Uint32Array(0);
  at = 0;
  atEnd = false;
  readonly #clusters: Iterator<Uint32Array>;

  constructor(table: IdTable) {
    this.#clusters = table.sorted();
    this.#next();
  }

  advance(): void {
    this.at += ENTRY_WORDS;
    if (this.at >= this.words.length) this.#next();
  }

  #next(): void {
    const next = this.#clusters.next();
    this.atEnd = next.done === true;
    if (next.done !== true) this.words = next.value;
    this.at = 0;
  }
}

export class RunCursor implements EntryCursor {
  words: Uint32Array;
  at = 0;
  readonly #run: IdRun;
  #block = 0;

  constructor(run: IdRun) {
    this.#run = run;
    this.words = run.readChunk(0);
  }

  get atEnd(): boolean {
    return this.at >= this.words.length;
  }

  advance(): void {
    this.at += ENTRY_WORDS;
    if (!this.atEnd) return;
    this.#block += CHUNK_BLOCKS;
    this.words = this.#run.readChunk(this.#block);
    this.at = 0;
  }
}

export function least<C extends EntryCursor>(cursors: readonly C[]): C | undefined {
  let first: C | undefined;
  for (const cursor of cursors) {
    if (cursor.atEnd) continue;
    if (first === undefined || compareEntries(cursor.words, cursor.at, first.words, first.at) < 0)
      first = cursor;
  }
  return first;
}
