import type { Fact } from '../../../domain/facts.ts';
import { linesOf, type LogView } from './log.ts';

/*
 * A fact as a line of its log: its own fields behind the number of the transaction that it came with, which is not one of
 * them. `{"seq":12,"order_id":"o-17","step":"paid"}`
 */

const BEGIN = '{"seq":';

/** @param key the field that must be a text @throws Error when it is none: a bug of what made the fact */
export function renderFact(value: Fact, key: string, seq: number): string {
  if (typeof value[key] !== 'string') throw new Error(`a fact has no ${key}: ${JSON.stringify(value)}`);
  return `${BEGIN}${seq},${JSON.stringify(value).slice(1)}\n`;
}

/** @throws SyntaxError when it is no line of ours */
export function parseFact(line: Buffer): Fact {
  const text = line.toString('utf8');
  const comma = text.indexOf(',');
  if (!text.startsWith(BEGIN) || comma === -1) throw new SyntaxError('it is no line of a log of facts');
  return JSON.parse(`{${text.slice(comma + 1)}`) as Fact;
}

/** All of one key, in the order of the log. */
export function factsOf<T extends Fact>(view: LogView, field: keyof T, key: string): T[] {
  const found: T[] = [];
  for (const chunk of view.chunks()) {
    for (const { line } of linesOf(chunk)) {
      const fact = parseFact(line) as T;
      if (fact[field] === key) found.push(fact);
    }
  }
  return found;
}
