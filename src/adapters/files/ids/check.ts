import { difference, type Difference } from '../../../domain/difference.ts';
import { isFailure, type Failure } from '../../../domain/failure.ts';
import type { IdIndex } from './index.ts';
import { DECISIONS, isDecision, type IndexedLog } from './indexed-logs.ts';
import {
  type IdPlace,
  ENTRY_WORDS,
  hashKey,
  IdTable,
  placeHigh,
  placeLow,
  toPlace,
  type IdHash,
} from './table.ts';
import type { LogName } from '../layout.ts';
import { linesOf, type LogView } from '../logs/log.ts';
import { orderIdOf } from '../logs/parse-order-line.ts';

/*
 * Checks that each id is decided once, and that the index has every line of every log, in memory that does not grow
 * with the number of lines. The index yields its entries in order of their hashes, so that two entries of one id are
 * adjacent, and a sum over them is compared with the same sum over the lines. Single lines are looked up only if the
 * two sums differ.
 */

/** Ids per pass when the index cannot be used: at most 128 MiB. */
const IDS_PER_PASS = 2 ** 21;
/** Two ids with one hash are all but impossible: more pairs than this are one line copied many times. */
const MAX_PAIRS = 10_000;

export interface IdSources {
  /** All logs that have an index; decisions are the first. */
  readonly logs: readonly IndexedLog[];
  readonly view: (log: LogName) => LogView;
  /** The index of the runs and of the lines after them. */
  readonly index: IdIndex | Failure;
  readonly fileOf: (log: LogName) => string;
  readonly relative: (file: string) => string;
}

export function* checkIds(sources: IdSources): Generator<Difference> {
  const { index } = sources;
  const lines = sumOfLines(sources);
  if ('find' in index) {
    try {
      const { sum, pairs } = sumOfEntries(sources, index);
      if (sum.equals(lines)) {
        yield* decidedTwice(sources, pairs);
        return;
      }
      // Entries of lines that a crash has undone are allowed; a line without an entry is not.
      yield* missingEntries(sources, index);
    } catch (error) {
      if (!isFailure(error, 'corrupt_state')) throw error;
      yield damagedIndex(sources, error);
    }
  } else yield damagedIndex(sources, index);
  yield* decidedTwice(sources, pairsByPasses(sources));
}

/** A sum that does not depend on the order of the entries; a difference goes unnoticed once in 2^64. */
class EntrySum {
  count = 0;
  #a = 0;
  #b = 0;

  add(high: number, low: number, placeLowWord: number, placeHighWord: number): void {
    let x = Math.imul(high ^ Math.imul(placeLowWord, 0x85ebca6b), 0xc2b2ae35);
    x = Math.imul(x ^ (x >>> 15) ^ low, 0x27d4eb2f) ^ Math.imul(placeHighWord, 0x9e3779b1);
    x ^= x >>> 13;
    this.count += 1;
    this.#a = (this.#a + x) | 0;
    this.#b = (this.#b + Math.imul(x ^ low, 0x85ebca6b)) | 0;
  }

  equals(other: EntrySum): boolean {
    return this.count === other.count && this.#a === other.#a && this.#b === other.#b;
  }
}

/** A key and its place; the same object each time. */
interface PlacedKey extends IdPlace {
  readonly hash: IdHash;
  key: string;
  log: number;
  position: number;
  name: LogName;
  /** Counted from 1. */
  line: number;
}

function* eachKey({ view }: IdSources, logs: readonly IndexedLog[]): Generator<Readonly<PlacedKey>> {
  const hash = { high: 0, low: 0 };
  const found: PlacedKey = { hash, key: '', log: 0, name: 'orders', position: 0, line: 0 };
  for (const { name, number, keyOf } of logs) {
    let from = 0;
    found.log = number;
    found.name = name;
    found.line = 0;
    for (const chunk of view(name).chunks()) {
      for (const { line, at } of linesOf(chunk)) {
        found.line += 1;
        const key = keyOf(line);
        if (key === undefined) continue;
        hashKey(key, number, found.hash);
        found.key = key;
        found.position = from + at;
        yield found;
      }
      from += chunk.byteLength;
    }
  }
}

function sumOfLines(sources: IdSources): EntrySum {
  const sum = new EntrySum();
  for (const { hash, log, position } of eachKey(sources, sources.logs)) {
    sum.add(hash.high, hash.low, placeLow(position), placeHigh({ log, position }));
  }
  return sum;
}

/** Two lines whose ids have the same hash. */
type Pair = readonly [IdPlace, IdPlace];

function sumOfEntries({ view, logs }: IdSources, index: IdIndex): { sum: EntrySum; pairs: Pair[] } {
  const sum = new EntrySum();
  const pairs = new Pairs();
  const sizes: number[] = [];
  for (const { name, number } of logs) sizes[number] = view(name).sizeBytes;
  index.visit((words, at) => {
    const [low = 0, high = 0] = [words[at + 2], words[at + 3]];
    const place = toPlace(low, high);
    // The entry of a line that was added later, or that a crash has undone.
    if (place.position >= (sizes[place.log] ?? 0)) return;
    sum.add(words[at] ?? 0, words[at + 1] ?? 0, low, high);
    if (isDecision(place.log)) pairs.add(words, at);
  });
  return { sum, pairs: pairs.found };
}

/** Finds equal hashes among entries sorted by hash. */
class Pairs {
  readonly found: Pair[] = [];
  readonly #last = new Uint32Array(ENTRY_WORDS);
  #isFirst = true;

  add(words: Uint32Array, at: number): void {
    const last = this.#last;
    const isSame = !this.#isFirst && last[0] === words[at] && last[1] === words[at + 1];
    if (isSame && this.found.length < MAX_PAIRS) {
      this.found.push([toPlace(last[2] ?? 0, last[3] ?? 0), toPlace(words[at + 2] ?? 0, words[at + 3] ?? 0)]);
    }
    for (let word = 0; word < ENTRY_WORDS; word++) last[word] = words[at + word] ?? 0;
    this.#isFirst = false;
  }
}

function countKeys(sources: IdSources, log: IndexedLog): number {
  let last = 0;
  for (const { line } of eachKey(sources, [log])) last = line;
  return last;
}

/** Without an index: in several passes over the ids, so that the memory of each is bounded. */
function pairsByPasses(sources: IdSources): Pair[] {
  const count = DECISIONS.reduce((sum, log) => sum + countKeys(sources, log), 0);
  const passes = Math.max(1, Math.ceil(count / IDS_PER_PASS));
  const pairs = new Pairs();
  for (let pass = 0; pass < passes; pass++) {
    const table = new IdTable();
    for (const { hash, log, position } of eachKey(sources, DECISIONS)) {
      if (hash.low % passes === pass) table.add(hash, { log, position });
    }
    for (const cluster of table.sorted()) {
      for (let at = 0; at < cluster.length; at += ENTRY_WORDS) pairs.add(cluster, at);
    }
  }
  return pairs.found;
}

function* decidedTwice({ view, fileOf }: IdSources, pairs: readonly Pair[]): Generator<Difference> {
  const nameOf = (log: number): LogName => DECISIONS[log]?.name ?? 'orders';
  for (const [one, other] of pairs) {
    const ids = [one, other].map(({ log, position }) => idAt(view(nameOf(log)), position));
    // The entry may be for a line that a crash has undone.
    if (ids[0] === undefined || ids[0] !== ids[1]) continue;
    const [first = '', second = ''] = [one, other].map(
      ({ log, position }) => `${fileOf(nameOf(log))}:${lineNumber(view(nameOf(log)), position)}`,
    );
    const message = `order ${ids[0]} is decided twice: ${first} and ${second}`;
    yield difference('decided_twice', second, { orderId: ids[0], expected: first, actual: second, message });
  }
}

function* missingEntries(sources: IdSources, index: IdIndex): Generator<Difference> {
  for (const { key, log, name, position, line } of eachKey(sources, sources.logs)) {
    const places = index.find(key, log);
    if (places.some((place) => place.log === log && place.position === position)) continue;
    const where = `${sources.fileOf(name)}:${line}`;
    const about = { expected: where, fix: null };
    yield isDecision(log)
      ? difference('index_missing', where, {
          ...about,
          orderId: key,
          message: `the index of order ids has no entry for ${key} at ${where}`,
        })
      : difference('index_missing', where, {
          ...about,
          message: `the index has no entry for the fact of ${key} at ${where}`,
        });
  }
}

function damagedIndex({ relative }: IdSources, { message, context }: Failure): Difference {
  return difference('index_damaged', relative(context.file ?? ''), { message, fix: null });
}

function idAt(view: LogView, position: number): string | undefined {
  const line = view.line(position);
  return line === undefined ? undefined : orderIdOf(line);
}

/** Counted from 1. */
function lineNumber(view: LogView, position: number): number {
  let number = 1;
  let at = 0;
  for (const chunk of view.chunks()) {
    for (const { at: lineAt } of linesOf(chunk)) {
      if (at + lineAt >= position) return number;
      number += 1;
    }
    at += chunk.byteLength;
  }
  return number;
}
