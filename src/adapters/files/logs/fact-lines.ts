import type { Fact } from '../../../domain/facts.ts';
import type { FieldValues } from '../../../ports/store.ts';
import { linesOf, type LineFinder, type LogView } from './log.ts';

/*
 * A fact as a line of its log: the number of its transaction, then its own fields.
 * `{"seq":12,"order_id":"o-17","step":"paid"}`
 */

/** Most lines are shorter. */
const LINE_BYTES = 512;
/** How much is read at a time. */
const WINDOW_BYTES = 64 * 1024;
const BEGIN = '{"seq":';
/** The number of a line's transaction, after the line feed of the line before. */
const LINE_BEGIN = /\n\{"seq":\d+,/g;

/** @param key the field that must be a text @throws Error when it is not: a bug in the code that makes the fact */
export function renderFact(value: Fact, key: string, seq: number): string {
  if (typeof value[key] !== 'string') throw new Error(`a fact has no ${key}: ${JSON.stringify(value)}`);
  return `${BEGIN}${seq},${JSON.stringify(value).slice(1)}\n`;
}

/** @throws SyntaxError when orderctl did not write it */
export function parseFact(line: Buffer): Fact {
  const text = line.toString('utf8');
  const comma = text.indexOf(',');
  if (!text.startsWith(BEGIN) || comma === -1) throw new SyntaxError('it is not a line of a log of facts');
  return JSON.parse(`{${text.slice(comma + 1)}`) as Fact;
}

/** Finds the facts that have one of these values; other lines are recognised by their bytes, without parsing. */
export function factFinder<T extends Fact>({ field, values }: FieldValues<T>): LineFinder<T> {
  // Inside a text the quotes would be escaped.
  const needles = values.map((value) => Buffer.from(`${JSON.stringify(field)}:${JSON.stringify(value)}`));
  const isIn = (bytes: Buffer): boolean => needles.some((needle) => bytes.includes(needle));
  return { isIn, parse: (line) => (isIn(line) ? (parseFact(line) as T) : undefined) };
}

/** The key of a line; undefined: orderctl did not write it. */
export function factKeyOf(line: Buffer, field: string): string | undefined {
  const key = factOf(line)?.[field];
  return typeof key === 'string' ? key : undefined;
}

/**
 * The facts of a key at these places. The index may return too many, for entries that share a hash or lines that a
 * crash has undone, and one place twice; so each line is read.
 */
export function factsAt(view: LogView, places: readonly number[], field: string, key: string): Fact[] {
  const found: Fact[] = [];
  const sorted = places.toSorted((a, b) => a - b);
  const window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, sorted.length * LINE_BYTES));
  const add = (lines: Buffer, count: number): void => {
    for (const fact of factsIn(lines, count)) if (fact[field] === key) found.push(fact);
  };
  for (let index = 0; index < sorted.length;) {
    const from = sorted[index] ?? 0;
    const bytes = window.subarray(0, view.read(window.subarray(0, wantedBytes(sorted, index)), from));
    let begin = 0;
    let end = 0;
    let count = 0;
    for (; index < sorted.length; index += 1) {
      const at = (sorted[index] ?? 0) - from;
      // The same place again.
      if (at < end) continue;
      const lineFeed = at < bytes.byteLength ? bytes.indexOf(10, at) : -1;
      if (lineFeed === -1) break;
      if (at > end) {
        add(bytes.subarray(begin, end), count);
        begin = at;
        count = 0;
      }
      end = lineFeed + 1;
      count += 1;
    }
    add(bytes.subarray(begin, end), count);
    if (end > 0) continue;
    // The line is longer than what was read, or there is none.
    const line = view.line(from);
    if (line !== undefined) add(line, 1);
    while (sorted[index] === from) index += 1;
  }
  return found;
}

/** How much to read for the places from `index` on: those that are close to each other, and nothing beyond them. */
function wantedBytes(sorted: readonly number[], index: number): number {
  const from = sorted[index] ?? 0;
  let end = from + LINE_BYTES;
  for (let next = index + 1; next < sorted.length && (sorted[next] ?? Infinity) <= end; next += 1) {
    end = (sorted[next] ?? 0) + LINE_BYTES;
    if (end - from >= WINDOW_BYTES) return WINDOW_BYTES;
  }
  return end - from;
}

/**
 * The facts of `count` consecutive lines, without lines that orderctl did not write. Many are parsed as one JSON text,
 * since each call of the parser costs as much as a short line.
 */
function factsIn(lines: Buffer, count: number): readonly Fact[] {
  if (count > 1) {
    const objects = `\n${lines.toString('utf8')}`.replaceAll(LINE_BEGIN, ',{');
    try {
      const facts = JSON.parse(`[${objects.slice(1)}]`) as readonly Fact[];
      if (facts.length === count) return facts;
    } catch {
      // One of them is damaged.
    }
  }
  const facts: Fact[] = [];
  for (const { line } of linesOf(lines)) {
    const fact = factOf(line);
    if (fact !== undefined) facts.push(fact);
  }
  return facts;
}

/** The facts of a key from a position on, without an index. */
export function factsAfter(view: LogView, from: number, field: string, key: string): Fact[] {
  const found: Fact[] = [];
  for (const chunk of view.chunks(from)) {
    for (const { line } of linesOf(chunk)) {
      const fact = factOf(line);
      if (fact?.[field] === key) found.push(fact);
    }
  }
  return found;
}

function factOf(line: Buffer): Fact | undefined {
  try {
    return parseFact(line);
  } catch {
    return undefined;
  }
}
