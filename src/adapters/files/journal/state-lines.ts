import type { ParsedLine } from '../tables/state-line.ts';
import type { Tables } from '../tables/tables.ts';

/*
 * Reads state lines: those of a snapshot, and those of the commits after it. A command that shows one row reads them
 * all, so the cost of each line matters.
 */

/** How much is parsed at once: line by line would take three times as long, all of a large edit too much memory. */
const PARSED_BYTES = 256 * 1024;

/** @param lines of a snapshot, each ending in a line feed */
export function restoreLines(lines: Buffer, tables: Tables): void {
  for (const parsed of parsedAtOnce(lines)) for (const line of parsed) tables.restore(line);
}

function* parsedAtOnce(lines: Buffer): Generator<readonly ParsedLine[]> {
  for (let at = 0; at < lines.byteLength;) {
    const lineFeed = lines.indexOf(10, Math.min(at + PARSED_BYTES, lines.byteLength - 1));
    const end = lineFeed === -1 ? lines.byteLength : lineFeed;
    // A line contains no line feed: JSON writes it as \n.
    yield JSON.parse(`[${lines.toString('utf8', at, end).replaceAll('\n', ',')}]`) as ParsedLine[];
    at = end + 1;
  }
}

/** Lines that need the stock of earlier commits to be set first; other lines do not depend on it. */
const CHANGES_ROWS = new Set<ParsedLine[0]>(['rows', 'undo', 'columns', 'order', 'version']);

/**
 * Applies the lines of one commit after another. Stock that was sold repeatedly is set once, to its last quantity. The
 * resulting tables are the same, since each line has the values after its commit.
 */
export class CommittedLines {
  readonly #tables: Tables;
  readonly #quantities = new Map<string, number>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** @param lines of one commit, later than those before */
  apply(lines: Buffer): void {
    for (const parsed of parsedAtOnce(lines)) {
      for (const line of parsed) {
        if (line[0] === 'quantities') this.#keep(line[1]);
        else {
          if (CHANGES_ROWS.has(line[0])) this.finish();
          this.#tables.applyParsed(line);
        }
      }
    }
  }

  /** Call this after the last commit. */
  finish(): void {
    if (this.#quantities.size === 0) return;
    this.#tables.applyParsed(['quantities', [...this.#quantities].flat()]);
    this.#quantities.clear();
  }

  #keep(pairs: readonly (string | number)[]): void {
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      this.#quantities.set(String(pairs[index]), Number(pairs[index + 1]));
    }
  }
}
