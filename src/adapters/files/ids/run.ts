import path from 'node:path';
import { crc32 } from 'node:zlib';
import { Failure } from '../../../domain/failure.ts';
import { errorCode, type FileSystem } from '../fs.ts';
import {
  BLOCK_ENTRIES,
  ENTRY_BYTES,
  BLOCK_BYTES,
  FENCE_WORDS,
  FOOTER_BYTES,
  MAGIC,
  FIRST_VERSION,
  VERSION,
  FILTER_WORDS,
  FILTER_PROBES,
  CHUNK_BLOCKS,
  bytesOf,
  filterBlockAt,
  filterStep,
} from './run-format.ts';
import { ENTRY_WORDS, toPlace, type IdHash, type IdPlace } from './table.ts';

/** Up to this many look-ups, a process reads a block or two for each instead of the whole filter. */
const FINDS_BEFORE_FILTER = 32;

/** A run, open for reading. */
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
  readonly #isFirstVersion: boolean;
  #filter: Uint32Array | null = null;
  #finds = 0;

  /** @throws Failure corrupt_state when it is missing or damaged; entries and filter are checked when read */
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
        throw damaged(this.#file, 'its end is incomplete');
      }
      this.#isFirstVersion = version === FIRST_VERSION;
      if (version !== VERSION && !this.#isFirstVersion)
        throw damaged(this.#file, `its version ${version ?? 0} is unknown`);
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
        throw damaged(this.#file, 'the checksum of its fence does not match');
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
    // Equal hashes may start at the end of the previous block, and continue into the next ones.
    for (let block = Math.max(0, low - 1); block < this.blocks; block += 1) {
      if (block >= low && !isEqual(fence, block * FENCE_WORDS, hash)) return;
      this.#findInBlock(block, hash, found);
    }
  }

  /** Reads up to CHUNK_BLOCKS blocks and checks them. @returns fewer words at the end */
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
        throw damaged(this.#file, 'the checksum of its filter does not match');
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

  /** Checks a block, and converts its places to those of the current version. */
  #check(block: number, words: Uint32Array): void {
    if (crc32(bytesOf(words)) !== this.#fence[block * FENCE_WORDS + 2]) {
      throw damaged(this.#file, `the checksum of its block ${block} does not match`);
    }
    if (this.#isFirstVersion)
      for (let at = 3; at < words.length; at += ENTRY_WORDS) words[at] = fromFirst(words[at]);
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
    fix: 'start the consumer: it rebuilds this file, part of the index, from the logs',
    context: { file },
  });
}

function fromFirst(high = 0): number {
  return high >= 0x80000000 ? high - 0x80000000 + 0x1000000 : high;
}
