import type { Effect } from '../../../domain/effects.ts';
import type { Destination, OutgoingRecord, Position, StoredPosition } from '../../../ports/store.ts';
import type { FileFingerprint } from './fingerprint.ts';
import { decodeOutgoing, encodeOutgoing, type EncodedOutgoing, type Unsent } from './outgoing.ts';
import { renderCells, type Cells } from './row-cells.ts';
import type { Row, TableName } from './columns.ts';

/*
 * State lines: the one language in which the tables are written down. A snapshot is the lines that make the tables from nothing; a journal record holds the lines that change them.
 * Each carries values as they are afterwards, so that applying a line twice is the same as applying it once.
 */

/** A row as it is after a change, or was before one; null: not there. */
export type NamedRow = readonly [name: string, row: Row | null];

export type StateLine =
  /** What rows are now; written down as the cells of row-cells.ts. */
  | readonly ['rows', TableName, readonly NamedRow[]]
  /** What rows were in the newest known version of the CSV, where that differs; written down as `rows`. */
  | readonly ['undo', TableName, readonly NamedRow[]]
  | readonly ['columns', TableName, readonly string[]]
  /** Rows in a new order. */
  | readonly ['order', TableName, readonly string[]]
  /** This is the newest known version of the CSV now; `undo` lines say how the table differs from it. */
  | readonly ['version', TableName, FileFingerprint | null, older?: readonly FileFingerprint[]]
  | readonly ['position', StoredPosition]
  | readonly ['outgoing', EncodedOutgoing]
  /** All up to this number were sent, of one destination or of all; a snapshot begins with that of all. */
  | readonly ['sent', number, of?: Destination]
  /** Rows of a small table; null: not there. */
  | readonly ['small', table: string, rows: readonly (readonly [key: string, value: unknown])[]]
  /** null: it is done with. */
  | readonly ['effect', id: string, Effect | null]
  /** There is a log of facts of that name; its lines are found by this field. */
  | readonly ['facts', name: string, key: string];

/** A line as it is read: rows are cells. */
export type ParsedLine =
  | readonly ['rows', TableName, readonly Cells[]]
  | readonly ['undo', TableName, readonly Cells[]]
  /** Item, quantity, item, quantity, …: a batch of sales, by Sales. */
  | readonly ['quantities', readonly (string | number)[]]
  /** Up to format 2 there was no other processor than `orders`. */
  | readonly ['position', Position & Partial<Pick<StoredPosition, 'processor'>>]
  | Exclude<StateLine, readonly ['rows' | 'undo' | 'position', ...unknown[]]>;

export function renderLine(line: StateLine): string {
  if (line[0] !== 'rows' && line[0] !== 'undo') return `${JSON.stringify(line)}\n`;
  const [kind, table, rows] = line;
  const cells = rows.map(([name, row]) => renderCells(name, row));
  return `["${kind}","${table}",[${cells.join(',')}]]\n`;
}

/** So many rows stand in one line at most: a line is parsed as a whole. */
const ROWS_PER_LINE = 1_000;

/** Lines that hold these rows. */
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

export function outgoingLine(unsent: Unsent): StateLine {
  return ['outgoing', encodeOutgoing(unsent)];
}

/** Lines that hold the rows of a small table. */
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

/** @throws SyntaxError, TypeError when it is no line of an outgoing record */
export function parseOutgoing(line: Buffer): OutgoingRecord {
  const found = JSON.parse(line.toString('utf8')) as ParsedLine;
  if (found[0] !== 'outgoing') throw new TypeError('it is a line of another kind');
  const { outgoing } = decodeOutgoing(found[1]);
  if (outgoing.kind !== 'record') throw new TypeError('it is a line of another kind');
  return outgoing;
}
