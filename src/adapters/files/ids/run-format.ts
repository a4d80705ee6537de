import { ENTRY_WORDS, type IdHash } from './table.ts';

/*
 * A run: one immutable file of the index, in little-endian 32-bit words:
 *
 *     entries   sorted by hash, in blocks of 256; the last block may be shorter; four words each, as in table.ts
 *     fence     per block: hash of its first entry (high, low), CRC-32 of the block
 *     filter    a Bloom filter of blocks of 512 bits, so that a look-up touches one cache line
 *     footer    magic, version, entries, blocks, filter blocks, CRC of fence, CRC of filter, CRC of the footer
 */
export const BLOCK_ENTRIES = 256;
export const ENTRY_BYTES = ENTRY_WORDS * 4;
export const BLOCK_BYTES = BLOCK_ENTRIES * ENTRY_BYTES;
export const FENCE_WORDS = 3;
export const FOOTER_BYTES = 32;
export const MAGIC = 0x78644964;
export const VERSION = 2;
/** In this version, only the topmost bit of a place is the log. */
export const FIRST_VERSION = 1;

export const FILTER_WORDS = 16;
/** 16 bits per entry and 6 probes: about two in a thousand absent ids pass, and cost one read each. */
const FILTER_BITS_PER_ENTRY = 16;
export const FILTER_PROBES = 6;
/** Blocks that a merge reads at a time. */
export const CHUNK_BLOCKS = 16;

export function bytesOf(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}

export function filterBlockAt(hash: IdHash, blocks: number): number {
  return Math.floor((hash.low * blocks) / 2 ** 32) * FILTER_WORDS;
}

export function filterStep(hash: IdHash): number {
  return (Math.imul(hash.high, 0x9e3779b1) ^ hash.low) | 1;
}

export function filterBlocks(entries: number): number {
  return Math.max(1, Math.ceil((entries * FILTER_BITS_PER_ENTRY) / (FILTER_WORDS * 32)));
}
