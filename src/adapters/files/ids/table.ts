import { isDecision } from './indexed-logs.ts';

/** Where the line of a key is. */
export interface IdPlace {
  /** The number of the log: see indexed-logs.ts. */
  readonly log: number;
  /** Byte position of the line in its log. */
  readonly position: number;
}

/** An entry is four 32-bit words: hash high, hash low, place low, place high with the log in its topmost eight bits. */
export const ENTRY_WORDS = 4;
const LOG = 0x1000000;
const HIGH = 2 ** 32;

export interface IdHash {
  high: number;
  low: number;
}

/**
 * Writes a 64-bit hash of a key to `into`, in two lanes of 32 bits, by cyrb53's mixing (bryc, public domain) without
 * its cut to 53 bits. Not keyed: two keys with one hash are distinguished by reading the lines they point to.
 *
 * @param log each log of facts has hashes of its own: a key may be in several logs, with many lines in one
 */
export function hashKey(key: string, log: number, into: IdHash): void {
  const seed = isDecision(log) ? 0 : log;
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (let at = 0; at < key.length; at += 1) {
    const code = key.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  into.high = b >>> 0;
  into.low = a >>> 0;
}

/** The two words that encode a place. */
export function placeLow(position: number): number {
  return position % HIGH;
}

export function placeHigh({ log, position }: IdPlace): number {
  return Math.floor(position / HIGH) + log * LOG;
}

export function toPlace(low: number, high: number): IdPlace {
  return { log: (high / LOG) | 0, position: (high % LOG) * HIGH + low };
}

const FIRST_BITS = 10;
/** 4 MiB at the start, however many entries are expected. */
const MOST_FIRST_BITS = 18;
/** Free slots after the last home slot, so that no probe wraps around. */
const TAIL_SLOTS = 64;
/** In a table that is half full, hardly any entry is farther from its home slot. */
const NEAR_SLOTS = 48;
/** `sorted` yields at least this many words at a time. */
const SORTED_WORDS = 4_096 * ENTRY_WORDS;
/** No place has this high word: 2^53 - 1 is the greatest position, and 253 the last log. */
const FREE = 0xffffffff;

/**
 * The entries in memory: open addressing in one typed array. The home slot of an entry is given by the topmost bits of
 * its hash, and a collision only moves it up, so that the slots are nearly sorted by hash.
 */
export class IdTable {
  size = 0;
  #bits: number;
  #words: Uint32Array;
  /**
   * By home slot: the end of the occupied slots from there on. Without it, adding one of the many lines of a key would
   * step over all the others.
   */
  #taken = new Map<number, number>();

  /** @param expected how many entries the table holds before it grows */
  constructor(expected = 0) {
    this.#bits = Math.min(MOST_FIRST_BITS, Math.max(FIRST_BITS, Math.ceil(Math.log2(2 * expected + 1))));
    this.#words = firstSlots(this.#bits);
  }

  add(hash: IdHash, place: IdPlace): void {
    if (this.size * 2 >= 2 ** this.#bits) this.#grow();
    this.#put(hash.high, hash.low, placeLow(place.position), placeHigh(place));
    this.size += 1;
  }

  find(hash: IdHash, found: IdPlace[]): void {
    const words = this.#words;
    for (let at = (hash.high >>> (32 - this.#bits)) * ENTRY_WORDS; at < words.length; at += ENTRY_WORDS) {
      const high = words[at + 3] ?? FREE;
      if (high === FREE) return;
      if (words[at] === hash.high && words[at + 1] === hash.low)
        found.push(toPlace(words[at + 2] ?? 0, high));
    }
  }

  /**
   * Yields all entries in order of their hashes, a few thousand at a time. Nothing may be added meanwhile.
   *
   * @returns arrays that are valid until the next one is requested
   */
  *sorted(): Generator<Uint32Array> {
    const words = this.#words;
    let sorted = new Uint32Array(2 * SORTED_WORDS);
    let filled = 0;
    for (let at = 0; at < words.length; at += ENTRY_WORDS) {
      if (words[at + 3] === FREE) {
        // No entry is moved past a free slot.
        if (filled >= SORTED_WORDS) {
          yield sorted.subarray(0, filled);
          filled = 0;
        }
        continue;
      }
      if (filled === sorted.length) {
        const longer = new Uint32Array(2 * filled);
        longer.set(sorted);
        sorted = longer;
      }
      insert(words, at, sorted, filled);
      filled += ENTRY_WORDS;
    }
    if (filled > 0) yield sorted.subarray(0, filled);
  }

  #put(hashHigh: number, hashLow: number, low: number, high: number): void {
    const home = (hashHigh >>> (32 - this.#bits)) * ENTRY_WORDS;
    const near = home + NEAR_SLOTS * ENTRY_WORDS;
    let at = home;
    while (at < this.#words.length && this.#words[at + 3] !== FREE) {
      at = at === near ? Math.max(near, this.#taken.get(home) ?? 0) + ENTRY_WORDS : at + ENTRY_WORDS;
    }
    if (at > near) this.#taken.set(home, at);
    if (at === this.#words.length)
      this.#words = withFreeSlots(this.#words, this.#words.length / ENTRY_WORDS / 8);
    const words = this.#words;
    words[at] = hashHigh;
    words[at + 1] = hashLow;
    words[at + 2] = low;
    words[at + 3] = high;
  }

  #grow(): void {
    const old = this.#words;
    this.#bits += 1;
    this.#words = firstSlots(this.#bits);
    this.#taken = new Map();
    for (let at = 0; at < old.length; at += ENTRY_WORDS) {
      const high = old[at + 3] ?? FREE;
      if (high !== FREE) this.#put(old[at] ?? 0, old[at + 1] ?? 0, old[at + 2] ?? 0, high);
    }
  }
}

function firstSlots(bits: number): Uint32Array {
  return withFreeSlots(new Uint32Array(0), 2 ** bits + TAIL_SLOTS);
}

function withFreeSlots(words: Uint32Array, slots: number): Uint32Array {
  const longer = new Uint32Array(words.length + Math.ceil(slots) * ENTRY_WORDS);
  longer.set(words);
  return longer.fill(FREE, words.length);
}

/** Inserts an entry among the sorted ones before `end`: mostly at the end, since the slots are nearly sorted. */
function insert(words: Uint32Array, at: number, sorted: Uint32Array, end: number): void {
  let to = end;
  while (to > 0 && compareEntries(sorted, to - ENTRY_WORDS, words, at) > 0) to -= ENTRY_WORDS;
  if (to < end) sorted.copyWithin(to + ENTRY_WORDS, to, end);
  for (let word = 0; word < ENTRY_WORDS; word++) sorted[to + word] = words[at + word] ?? 0;
}

/** By hash, then by place: equal entries are adjacent, so that a merge can drop one. */
export function compareEntries(a: Uint32Array, atA: number, b: Uint32Array, atB: number): number {
  const difference = (a[atA] ?? 0) - (b[atB] ?? 0) || (a[atA + 1] ?? 0) - (b[atB + 1] ?? 0);
  return difference || (a[atA + 3] ?? 0) - (b[atB + 3] ?? 0) || (a[atA + 2] ?? 0) - (b[atB + 2] ?? 0);
}
