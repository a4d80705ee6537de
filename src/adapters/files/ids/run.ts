import path from 'node:path';
import { crc32 } from 'node:zlib';
import { Failure } from '../../../domain/failure.ts';
import { errorCode, type FileSystem } from '../fs.ts';
import type { IdPlace } from './index.ts';
import { compareEntries, ENTRY_WORDS, toPlace, type IdHash } from './table.ts';

/**
 * One immutable file of the index, little-endian words of 32 bits:
 *
 *     entries   sorted by hash, in blocks of 256; the last block may be shorter
 *     fence     per block: hash of its first entry (high, low), CRC-32 of the block
 *     filter    a Bloom filter of blocks of 512 bits, so that a look-up touches one line of the cache
 *     footer    magic, version, entries, blocks, filter blocks, CRC of fence, CRC of filter, CRC of the footer
 */
const BLOCK_ENTRIES = 256;
const ENTRY_BYTES = ENTRY_WORDS * 4;
const BLOCK_BYTES = BLOCK_ENTRIES * ENTRY_BYTES;
const FENCE_WORDS = 3;
const FOOTER_BYTES = 32;
const MAGIC = 0x78644964;
const VERSION = 1;

const FILTER_WORDS = 16;
/** 16 bits an entry and 6 probes: about two absent ids of a thousand pass, and cost one read each. */
const FILTER_BITS_PER_ENTRY = 16;
const FILTER_PROBES = 6;
/** A process that looks up a few ids reads a block or two for each rather than the whole filter. */
const FINDS_BEFORE_FILTER = 32;

/** Entries that a merge reads at a time. */
export const CHUNK_BLOCKS = 16;

function bytesOf(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}

function filterBlockAt(hash: IdHash, blocks: number): number {
  return Math.floor((hash.low * blocks) / 2 ** 32) * FILTER_WORDS;
}

function filterStep(hash: IdHash): number {
  return (Math.imul(hash.high, 0x9e3779b1) ^ hash.low) | 1;
}

function filterBlocks(entries: number): number {
  return Math.max(1, Math.ceil((entries * FILTER_BITS_PER_ENTRY) / (FILTER_WORDS * 32)));
}

export class IdRun {
  readonly name: string;
  readonly entries: number;
  readonly blocks: number;
  readonly #files: FileSystem;
  readonly #file: string;
  readonly #fd: number;
  readonly #fence: Uint32Array;
  readonly #filterBlocks: number;
  readonly #filterCrc: number;
  readonly #block = new Uint32Array(BLOCK_ENTRIES * ENTRY_WORDS);
  #filter: Uint32Array | null = null;
  #finds = 0;

  /** @throws Failure corrupt_state when it is missing or damaged (entries and filter are checked when read) */
  constructor(files: FileSystem, folder: string, name: string) {
    this.name = name;
    this.#files = files;
    this.#file = path.join(folder, name);
    try {
      this.#fd = files.open(this.#file, 'read');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') throw damaged(this.#file, 'it is missing');
      throw error;
    }
    try {
      const { sizeBytes } = files.statOpen(this.#fd);
      const footer = new Uint32Array(FOOTER_BYTES / 4);
      const read = files.read(this.#fd, bytesOf(footer), Math.max(0, sizeBytes - FOOTER_BYTES));
      const [magic, version, entries = 0, blocks = 0, filter = 0, fenceCrc, filterCrc = 0, crc] = footer;
      if (read < FOOTER_BYTES || magic !== MAGIC || crc32(bytesOf(footer.subarray(0, 7))) !== crc) {
        throw damaged(this.#file, 'its end is not that of a whole file');
      }
      if (version !== VERSION) throw damaged(this.#file, `it is of version ${version ?? 0}`);
      this.entries = entries;
      this.blocks = blocks;
      this.#filterBlocks = filter;
      this.#filterCrc = filterCrc;
      this.#fence = new Uint32Array(blocks * FENCE_WORDS);
      const expectedBytes = this.#filterPosition + filter * FILTER_WORDS * 4 + FOOTER_BYTES;
      if (sizeBytes !== expectedBytes)
        throw damaged(this.#file, `it has ${sizeBytes} bytes, not ${expectedBytes}`);
      files.read(this.#fd, bytesOf(this.#fence), entries * ENTRY_BYTES);
      if (crc32(bytesOf(this.#fence)) !== fenceCrc)
        throw damaged(this.#file, 'its fence has another checksum');
    } catch (error) {
      files.close(this.#fd);
      throw error;
    }
  }

  get #filterPosition(): number {
    return this.entries * ENTRY_BYTES + this.#fence.byteLength;
  }

  find(hash: IdHash, found: IdPlace[]): void {
    if (!this.#mayHold(hash)) return;
    const fence = this.#fence;
    let low = 0;
    let high = this.blocks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBelow(fence, middle * FENCE_WORDS, hash)) low = middle + 1;
      else high = middle;
    }
    // Equal hashes may begin at the end of the block before, and go on into the next ones.
    for (let block = Math.max(0, low - 1); block < this.blocks; block += 1) {
      if (block >= low && !isEqual(fence, block * FENCE_WORDS, hash)) return;
      this.#findInBlock(block, hash, found);
    }
  }

  /** Reads up to CHUNK_BLOCKS blocks, checked. @returns fewer words at the end */
  readChunk(firstBlock: number): Uint32Array {
    const first = firstBlock * BLOCK_ENTRIES;
    const count = Math.min(this.entries - first, CHUNK_BLOCKS * BLOCK_ENTRIES);
    const words = new Uint32Array(Math.max(0, count) * ENTRY_WORDS);
    this.#files.read(this.#fd, bytesOf(words), first * ENTRY_BYTES);
    for (let at = 0; at * BLOCK_BYTES < words.byteLength; at += 1) {
      const block = words.subarray(at * BLOCK_ENTRIES * ENTRY_WORDS, (at + 1) * BLOCK_ENTRIES * ENTRY_WORDS);
      this.#check(firstBlock + at, block);
    }
    return words;
  }

  close(): void {
    this.#files.close(this.#fd);
  }

  #mayHold(hash: IdHash): boolean {
    if (this.#filter === null) {
      this.#finds += 1;
      if (this.#finds <= FINDS_BEFORE_FILTER) return true;
      const words = new Uint32Array(this.#filterBlocks * FILTER_WORDS);
      this.#files.read(this.#fd, bytesOf(words), this.#filterPosition);
      if (crc32(bytesOf(words)) !== this.#filterCrc)
        throw damaged(this.#file, 'its filter has another checksum');
      this.#filter = words;
    }
    const filter = this.#filter;
    const at = filterBlockAt(hash, this.#filterBlocks);
    const step = filterStep(hash);
    let bit = hash.high;
    for (let probe = 0; probe < FILTER_PROBES; probe += 1) {
      const place = bit >>> 23;
      if ((((filter[at + (place >>> 5)] ?? 0) >>> (place & 31)) & 1) === 0) return false;
      bit = (bit + step) | 0;
    }
    return true;
  }

  #findInBlock(block: number, hash: IdHash, found: IdPlace[]): void {
    const count = Math.min(BLOCK_ENTRIES, this.entries - block * BLOCK_ENTRIES);
    const words = this.#block.subarray(0, count * ENTRY_WORDS);
    this.#files.read(this.#fd, bytesOf(words), block * BLOCK_BYTES);
    this.#check(block, words);
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBelow(words, middle * ENTRY_WORDS, hash)) low = middle + 1;
      else high = middle;
    }
    for (let at = low * ENTRY_WORDS; at < words.length && isEqual(words, at, hash); at += ENTRY_WORDS) {
      found.push(toPlace(words[at + 2] ?? 0, words[at + 3] ?? 0));
    }
  }

  #check(block: number, words: Uint32Array): void {
    if (crc32(bytesOf(words)) !== this.#fence[block * FENCE_WORDS + 2]) {
      throw damaged(this.#file, `its block ${block} has another checksum`);
    }
  }
}

function isBelow(words: Uint32Array, at: number, hash: IdHash): boolean {
  const high = words[at] ?? 0;
  return high < hash.high || (high === hash.high && (words[at + 1] ?? 0) < hash.low);
}

function isEqual(words: Uint32Array, at: number, hash: IdHash): boolean {
  return words[at] === hash.high && words[at + 1] === hash.low;
}

function damaged(file: string, what: string): Failure {
  return new Failure('corrupt_state', `${file} is damaged: ${what}`, {
    fix: 'it is part of the index of order ids, a view that is rebuilt from the logs: start the consumer',
    context: { file },
  });
}

/** Writes a run from entries that come sorted; an entry that equals the one before is dropped. */
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

  /** @param atMost of entries, by which the filter is sized */
  constructor(files: FileSystem, folder: string, name: string, atMost: number) {
    this.name = name;
    this.#files = files;
    this.#folder = folder;
    this.#file = path.join(folder, name);
    this.#fence = new Uint32Array(Math.ceil(atMost / BLOCK_ENTRIES) * FENCE_WORDS);
    this.#filter = new Uint32Array(filterBlocks(atMost) * FILTER_WORDS);
    this.#fd = files.open(this.#file, 'create');
  }

  /** Takes the entry at `at` of `words`. */
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

  /** Gives up, and tries to leave nothing behind: what is left is removed with the unused runs. */
  abandon(): void {
    try {
      if (!this.#finished) this.#files.close(this.#fd);
      this.#finished = true;
      this.#files.unlink(this.#file);
    } catch {
      // The failure that led here is the one to tell.
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
