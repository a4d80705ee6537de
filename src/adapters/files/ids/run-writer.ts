import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { FileSystem } from '../fs.ts';
import {
  BLOCK_ENTRIES,
  FENCE_WORDS,
  FOOTER_BYTES,
  MAGIC,
  VERSION,
  FILTER_WORDS,
  FILTER_PROBES,
  CHUNK_BLOCKS,
  bytesOf,
  filterBlockAt,
  filterStep,
  filterBlocks,
} from './run-format.ts';
import { compareEntries, ENTRY_WORDS, type IdHash } from './table.ts';

/** Writes a run from sorted entries, dropping duplicates. */
export class IdRunWriter {
  readonly name: string;
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #file: string;
  readonly #fd: number;
  readonly #fence: Uint32Array;
  readonly #filter: Uint32Array;
  readonly #chunk = new Uint32Array(CHUNK_BLOCKS * BLOCK_ENTRIES * ENTRY_WORDS);
  readonly #hash: IdHash = { high: 0, low: 0 };
  readonly #last = new Uint32Array(ENTRY_WORDS);
  #filled = 0;
  #written = 0;
  #finished = false;

  /** @param atMost the most entries that will be added: it sets the size of the filter */
  constructor(files: FileSystem, folder: string, name: string, atMost: number) {
    this.name = name;
    this.#files = files;
    this.#folder = folder;
    this.#file = path.join(folder, name);
    this.#fence = new Uint32Array(Math.ceil(atMost / BLOCK_ENTRIES) * FENCE_WORDS);
    this.#filter = new Uint32Array(filterBlocks(atMost) * FILTER_WORDS);
    this.#fd = files.open(this.#file, 'create');
  }

  /** Adds the entry at `at` in `words`. */
  add(words: Uint32Array, at: number): void {
    const last = this.#last;
    if (this.#filled + this.#written > 0 && compareEntries(words, at, last, 0) === 0) return;
    const chunk = this.#chunk;
    const filled = this.#filled;
    for (let word = 0; word < ENTRY_WORDS; word += 1) {
      const value = words[at + word] ?? 0;
      last[word] = value;
      chunk[filled + word] = value;
    }
    this.#filled = filled + ENTRY_WORDS;
    this.#mark();
    if (this.#filled === this.#chunk.length) this.#flush();
  }

  /** Durable when this resolves. */
  async finish(): Promise<void> {
    this.#flush();
    const entries = this.#written / ENTRY_WORDS;
    const blocks = Math.ceil(entries / BLOCK_ENTRIES);
    const fence = bytesOf(this.#fence.subarray(0, blocks * FENCE_WORDS));
    const filter = bytesOf(this.#filter);
    const footer = new Uint32Array(FOOTER_BYTES / 4);
    const filterCount = this.#filter.length / FILTER_WORDS;
    footer.set([MAGIC, VERSION, entries, blocks, filterCount, crc32(fence), crc32(filter)]);
    footer[7] = crc32(bytesOf(footer.subarray(0, 7)));
    this.#files.write(this.#fd, Buffer.concat([fence, filter, bytesOf(footer)]), this.#written * 4);
    await this.#files.sync(this.#fd);
    this.#files.close(this.#fd);
    this.#finished = true;
    await this.#files.syncDirectory(this.#folder);
  }

  /** Gives up, and tries to leave no file behind; a file that remains is removed with the unused runs. */
  abandon(): void {
    try {
      if (!this.#finished) this.#files.close(this.#fd);
      this.#finished = true;
      this.#files.unlink(this.#file);
    } catch {
      // The failure that led here is the one to report.
    }
  }

  #mark(): void {
    const hash = this.#hash;
    const filter = this.#filter;
    hash.high = this.#last[0] ?? 0;
    hash.low = this.#last[1] ?? 0;
    const at = filterBlockAt(hash, filter.length / FILTER_WORDS);
    const step = filterStep(hash);
    let bit = hash.high;
    for (let probe = 0; probe < FILTER_PROBES; probe += 1) {
      const place = bit >>> 23;
      const word = at + (place >>> 5);
      filter[word] = (filter[word] ?? 0) | (1 << (place & 31));
      bit = (bit + step) | 0;
    }
  }

  #flush(): void {
    const words = this.#chunk.subarray(0, this.#filled);
    const blockWords = BLOCK_ENTRIES * ENTRY_WORDS;
    for (let at = 0; at < words.length; at += blockWords) {
      const block = words.subarray(at, at + blockWords);
      const fenceAt = ((this.#written + at) / blockWords) * FENCE_WORDS;
      this.#fence.set([block[0] ?? 0, block[1] ?? 0, crc32(bytesOf(block))], fenceAt);
    }
    this.#files.write(this.#fd, bytesOf(words), this.#written * 4);
    this.#written += this.#filled;
    this.#filled = 0;
  }
}
