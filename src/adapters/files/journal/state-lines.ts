import type { ParsedLine } from '../tables/state-line.ts';
import type { Tables } from '../tables/tables.ts';

/*
 * Reading state lines: those of a snapshot, and those of the commits after it. A command that shows one row reads
 * them all, so it counts what each costs.
 */

/** How much is parsed at once: line by line would take three times as long, all of a large edit too much memory. */
const PARSED_BYTES = 256 * 1024;

/** @param lines of a snapshot, each ended by a line feed */
export function restoreLines(lines: Buffer, tables: Tables): void {
  for (const parsed of parsedAtOnce(lines)) for (const line of parsed) tables.restore(line);
}

function* parsedAtOnce(lines: Buffer): Generator<readonly ParsedLine[]> {
  for (let at = 0; at < lines.byteLength;) {
    const lineFeed = lines.indexOf(10, Math.min(at + PARSED_BYTES, lines.byteLength - 1));
    const end = lineFeed === -1 ? lines.byteLength : lineFeed;
    // A line holds no line feed: JSON writes it as \n.
    yield JSON.parse(`[${lines.toString('utf8', at, end).replaceAll('\n', ',')}]`) as ParsedLine[];
    at = end + 1;
  }
}

/** Lines before which the stock of earlier commits must be set; other lines do not depend on it. */
const CHANGES_ROWS = new Set<ParsedLine[0]>(['rows', 'undo', 'columns', 'order', 'version']);

/**
 * Applies the lines of commit after commit. Stock that was sold repeatedly is set once, to its last quantity. The
 * tables come out the same, since each line says what is true after it.
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

  /** To be called after the last one. */
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
