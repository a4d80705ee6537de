import type { Effect } from '../../../domain/effects.ts';
import type { Destination, Position, StoredPosition } from '../../../ports/store.ts';
import type { FileFingerprint } from './fingerprint.ts';
import type { EncodedOutgoing } from '../outbox/outgoing-line.ts';
import { renderCells, type Cells } from './row-cells.ts';
import type { Row, TableName } from './columns.ts';

/*
 * State lines: the one format in which the tables are stored. A snapshot has the lines that create the tables from
 * scratch, a journal record those that change them. Each has the values after the change, so that applying a line twice
 * is the same as applying it once.
 */

/** A row as it is after a change, or was before one; null: no such row. */
export type NamedRow = readonly [name: string, row: Row | null];

export type StateLine =
  /** Rows after the change, stored as the cells of row-cells.ts. */
  | readonly ['rows', TableName, readonly NamedRow[]]
  /** The rows of the newest known version of the CSV that differ from the table; stored like `rows`. */
  | readonly ['undo', TableName, readonly NamedRow[]]
  | readonly ['columns', TableName, readonly string[]]
  /** Rows in a new order. */
  | readonly ['order', TableName, readonly string[]]
  /** This is now the newest known version of the CSV; `undo` lines say how the table differs from it. */
  | readonly ['version', TableName, FileFingerprint | null, older?: readonly FileFingerprint[]]
  | readonly ['position', StoredPosition]
  /** From here on, messages to this destination go to `outbox.N`. */
  | readonly ['segment', number, Destination]
  /** How many were ever to be sent there. */
  | readonly ['queued', Destination, count: number]
  /** How many were sent there; the next one is in this segment at this byte, or in the segment after it. */
  | readonly ['drained', Destination, count: number, segment: number, position: number]
  /** Rows of a small table; a null value: no such row. */
  | readonly ['small', table: string, rows: readonly (readonly [key: string, value: unknown])[]]
  /** null: the effect is done. */
  | readonly ['effect', id: string, Effect | null]
  /**
   * These effects are being tried: another process may take them over at `dueAt`. Their other fields stay as they are.
   */
  | readonly [
      'tried',
      dueAt: number,
      readonly (readonly [id: string, attempts: number, firstTriedAt: number])[],
    ]
  /** A log of facts with that name exists; its lines are found by this field. */
  | readonly ['facts', name: string, key: string];

/** What was yet to be sent, up to format 3. */
export type FormerOutgoingLine =
  | readonly ['outgoing', { readonly number: number } & EncodedOutgoing]
  /** Everything up to this number was sent, to one destination or to all. */
  | readonly ['sent', number, of?: Destination];

/** A line as it is read: rows are cells. */
export type ParsedLine =
  | readonly ['rows', TableName, readonly Cells[]]
  | readonly ['undo', TableName, readonly Cells[]]
  /** Item, quantity, item, quantity, …: a batch of sales, rendered by Sales. */
  | readonly ['quantities', readonly (string | number)[]]
  /** Up to format 2, `orders` was the only processor. */
  | readonly ['position', Position & Partial<Pick<StoredPosition, 'processor'>>]
  | FormerOutgoingLine
  | Exclude<StateLine, readonly ['rows' | 'undo' | 'position', ...unknown[]]>;

export function renderLine(line: StateLine): string {
  if (line[0] !== 'rows' && line[0] !== 'undo') return `${JSON.stringify(line)}\n`;
  const [kind, table, rows] = line;
  const cells = rows.map(([name, row]) => renderCells(name, row));
  return `["${kind}","${table}",[${cells.join(',')}]]\n`;
}

/** The most rows in one line, which is parsed as a whole. */
const ROWS_PER_LINE = 1_000;

/** The lines for these rows. */
export function* rowLines(
  kind: 'rows' | 'undo',
  table: TableName,
  rows: Iterable<NamedRow>,
): Generator<StateLine> {
  let some: NamedRow[] = [];
  for (const row of rows) {
    some.push(row);
    if (some.length < ROWS_PER_LINE) continue;
    yield [kind, table, some];
    some = [];
  }
  if (some.length > 0) yield [kind, table, some];
}

/** The lines for the rows of a small table. */
export function* smallLines(table: string, rows: Iterable<[string, unknown]>): Generator<StateLine> {
  let some: [string, unknown][] = [];
  for (const row of rows) {
    some.push(row);
    if (some.length < ROWS_PER_LINE) continue;
    yield ['small', table, some];
    some = [];
  }
  if (some.length > 0) yield ['small', table, some];
}
