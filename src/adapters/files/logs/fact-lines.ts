import type { Fact } from '../../../domain/facts.ts';
import type { FieldValues } from '../../../ports/store.ts';
import { linesOf, type LineFinder, type LogView } from './log.ts';

/*
 * A fact as a line of its log: the number of its transaction, then its own fields.
 * `{"seq":12,"order_id":"o-17","step":"paid"}`
 */

/** Most lines are shorter. */
const LINE_BYTES = 512;
/** Read at a time. */
const WINDOW_BYTES = 64 * 1024;
const BEGIN = '{"seq":';

/** @param key the field that must be a text @throws Error when it is not: a bug where the fact is made */
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

/** Finds those that have one of these values: the others are recognised by their bytes. */
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
 * The facts of a key at these places. The index may name too many: entries that share a hash, of lines that a crash
 * has undone, and one place twice; so each line is read.
 */
export function factsAt(view: LogView, places: readonly number[], field: string, key: string): Fact[] {
  const found: Fact[] = [];
  const sorted = places.toSorted((a, b) => a - b);
  const window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, sorted.length * LINE_BYTES));
  let bytes = window.subarray(0, 0);
  let from = 0;
  let last = -1;
  for (const [index, position] of sorted.entries()) {
    if (position === last) continue;
    last = position;
    if (position + LINE_BYTES > from + bytes.byteLength) {
      // One read for lines that are close to each other, and nothing beyond them.
      let end = position + LINE_BYTES;
      for (let next = index + 1; next < sorted.length && (sorted[next] ?? Infinity) < end; next++) {
        end = (sorted[next] ?? 0) + LINE_BYTES;
      }
      from = position;
      bytes = window.subarray(
        0,
        view.read(window.subarray(0, Math.min(end - from, window.byteLength)), from),
      );
    }
    const lineFeed = bytes.indexOf(10, position - from);
    const line = lineFeed === -1 ? view.line(position) : bytes.subarray(position - from, lineFeed);
    const fact = line === undefined ? undefined : factOf(line);
    if (fact?.[field] === key) found.push(fact);
  }
  return found;
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
