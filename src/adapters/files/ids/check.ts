import { difference, type Difference } from '../../../domain/difference.ts';
import { isFailure, type Failure } from '../../../domain/failure.ts';
import type { IdIndex } from './index.ts';
import {
  type IdPlace,
  ENTRY_WORDS,
  hashId,
  IdTable,
  placeHigh,
  placeLow,
  toPlace,
  type IdHash,
} from './table.ts';
import { linesOf, type LogView } from '../logs/log.ts';
import { orderIdOf } from '../logs/order-line.ts';

/*
 * Whether each id is decided once, and whether the index knows every one, in memory that does not grow with their
 * number: entries come from the index in order of their hashes, so that two of one id meet, and a sum over them is
 * held against the same sum over the lines. Only when that is not the same is each line looked up.
 */

/** Ids of one pass when the index is of no use: 128 MiB at most. */
const IDS_PER_PASS = 2 ** 21;
/** Two ids of one hash are all but impossible: what there is more of is one line copied over and over. */
const MAX_PAIRS = 10_000;

type DecisionLog = IdPlace['log'];
const LOGS: readonly DecisionLog[] = ['orders', 'rejections'];

export interface IdSources {
  readonly view: (log: DecisionLog) => LogView;
  /** Of runs and of what came after them. */
  readonly index: IdIndex | Failure;
  readonly fileOf: (log: DecisionLog) => string;
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
      // Entries of lines that a crash has taken back are allowed; a line without an entry is not.
      yield* missingEntries(sources, index);
    } catch (error) {
      if (!isFailure(error, 'corrupt_state')) throw error;
      yield damagedIndex(sources, error);
    }
  } else yield damagedIndex(sources, index);
  yield* decidedTwice(sources, pairsByPasses(sources, lines.count));
}

/** A sum that does not depend on the order of what is added: any change of it shows but for one in 2^64. */
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

/** An order id where it stands; the same object each time. */
interface PlacedId extends IdPlace {
  readonly hash: IdHash;
  orderId: string;
  log: DecisionLog;
  position: number;
  /** Counted from 1. */
  line: number;
}

function* eachId({ view }: IdSources): Generator<Readonly<PlacedId>> {
  const found: PlacedId = { hash: { high: 0, low: 0 }, orderId: '', log: 'orders', position: 0, line: 0 };
  for (const log of LOGS) {
    let from = 0;
    found.log = log;
    found.line = 0;
    for (const chunk of view(log).chunks()) {
      for (const { line, at } of linesOf(chunk)) {
        found.line += 1;
        const orderId = orderIdOf(line);
        if (orderId === undefined) continue;
        hashId(orderId, found.hash);
        found.orderId = orderId;
        found.position = from + at;
        yield found;
      }
      from += chunk.byteLength;
    }
  }
}

function sumOfLines(sources: IdSources): EntrySum {
  const sum = new EntrySum();
  for (const { hash, log, position } of eachId(sources)) {
    sum.add(hash.high, hash.low, placeLow(position), placeHigh({ log, position }));
  }
  return sum;
}

/** Two lines whose ids have one hash. */
type Pair = readonly [IdPlace, IdPlace];

function sumOfEntries({ view }: IdSources, index: IdIndex): { sum: EntrySum; pairs: Pair[] } {
  const sum = new EntrySum();
  const pairs = new Pairs();
  const sizes = { orders: view('orders').sizeBytes, rejections: view('rejections').sizeBytes };
  index.visit((words, at) => {
    const [low = 0, high = 0] = [words[at + 2], words[at + 3]];
    const place = toPlace(low, high);
    // Of lines that came later, or that a crash has taken back.
    if (place.position >= sizes[place.log]) return;
    sum.add(words[at] ?? 0, words[at + 1] ?? 0, low, high);
    pairs.add(words, at);
  });
  return { sum, pairs: pairs.found };
}

/** Finds equal hashes among entries that come in order of them. */
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

/** Without an index: as many passes over the ids as keep the memory of each bounded. */
function pairsByPasses(sources: IdSources, count: number): Pair[] {
  const passes = Math.max(1, Math.ceil(count / IDS_PER_PASS));
  const pairs = new Pairs();
  for (let pass = 0; pass < passes; pass++) {
    const table = new IdTable();
    for (const { hash, log, position } of eachId(sources)) {
      if (hash.low % passes === pass) table.add(hash, { log, position });
    }
    for (const cluster of table.sorted()) {
      for (let at = 0; at < cluster.length; at += ENTRY_WORDS) pairs.add(cluster, at);
    }
  }
  return pairs.found;
}

function* decidedTwice({ view, fileOf }: IdSources, pairs: readonly Pair[]): Generator<Difference> {
  for (const [one, other] of pairs) {
    const ids = [one, other].map(({ log, position }) => idAt(view(log), position));
    // An entry may be of a line that a crash has taken back.
    if (ids[0] === undefined || ids[0] !== ids[1]) continue;
    const [first = '', second = ''] = [one, other].map(
      ({ log, position }) => `${fileOf(log)}:${lineNumber(view(log), position)}`,
    );
    const message = `order ${ids[0]} is decided twice: ${first} and ${second}`;
    yield difference('decided_twice', second, { orderId: ids[0], expected: first, actual: second, message });
  }
}

function* missingEntries(sources: IdSources, index: IdIndex): Generator<Difference> {
  for (const { orderId, log, position, line } of eachId(sources)) {
    const places = index.find(orderId);
    if (places.some((place) => place.log === log && place.position === position)) continue;
    const where = `${sources.fileOf(log)}:${line}`;
    const message = `the index of order ids does not know that ${orderId} is decided at ${where}`;
    yield difference('index_missing', where, { orderId, expected: where, message, fix: null });
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
