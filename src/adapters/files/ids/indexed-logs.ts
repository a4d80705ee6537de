import { factLogName, type LogName } from '../layout.ts';
import { factKeyOf } from '../logs/fact-lines.ts';
import { orderIdOf } from '../logs/parse-order-line.ts';

/** A log whose lines are found by their keys. */
export interface IndexedLog {
  readonly name: LogName;
  /** The number of the log in index entries. */
  readonly number: number;
  /** @returns undefined when orderctl did not write the line */
  readonly keyOf: (line: Buffer) => string | undefined;
}

/** What is known about a log of facts. */
export interface KnownFacts {
  /** The field that holds the key. */
  readonly key: string;
  readonly number: number;
}

const FIRST_FACTS = 2;
/** Log numbers have eight bits. */
const MOST_FACTS = 254 - FIRST_FACTS;

/** All order ids are one set of keys: an id is decided once. */
export const DECISIONS = [
  { name: 'orders', number: 0, keyOf: orderIdOf },
  { name: 'rejections', number: 1, keyOf: orderIdOf },
] as const satisfies readonly IndexedLog[];

export function isDecision(number: number): boolean {
  return number < FIRST_FACTS;
}

/**
 * @param count the number of logs of facts so far; they are numbered in the order of their creation
 * @throws Error beyond the last number
 */
export function numberOfFacts(count: number): number {
  if (count >= MOST_FACTS) throw new Error(`there are ${count} logs of facts: one more cannot be numbered`);
  return FIRST_FACTS + count;
}

export function indexedLogs(facts: ReadonlyMap<string, KnownFacts>): readonly IndexedLog[] {
  const ofFacts = Array.from(facts, ([name, { key, number }]) => ({
    name: factLogName(name),
    number,
    keyOf: (line: Buffer) => factKeyOf(line, key),
  }));
  return [...DECISIONS, ...ofFacts];
}
