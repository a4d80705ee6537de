import type { Item, User } from '../../../domain/tables.ts';
import type { Headers, HeaderValue } from '../../../ports/record.ts';
import type { Outgoing, Position, TopicPartition } from '../../../ports/store.ts';
import { ITEM_COLUMNS, USER_COLUMNS } from '../csv/view.ts';
import { renderCells, rowOfCells, type Cells } from './row-cells.ts';
import { ITEM_PARTS, USER_PARTS, type Row } from './rows.ts';
import type { Sales } from './sales.ts';
import { Table, type FrozenTable } from './table.ts';
import type { FileFingerprint } from '../csv/versions.ts';

/*
 * What is true at this moment, in memory, and the one language in which it is written down: state lines. A
 * snapshot is the lines that make the tables from nothing; a journal record holds the lines that change them.
 * Each carries values as they are afterwards, so that applying a line twice is the same as applying it once.
 */

export type TableName = 'users' | 'inventory';

/** A row as it is after a change, or was before one; null: not there. */
export type NamedRow = readonly [name: string, row: Row | null];

/** An outgoing record and its place in the order of all that ever were. */
export interface Unsent extends Outgoing {
  readonly number: number;
}

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
  | readonly ['position', Position]
  | readonly ['outgoing', EncodedOutgoing]
  /** All up to this number were sent. */
  | readonly ['sent', number];

type EncodedBytes = string | null;
type EncodedHeader = { s: string } | { b: string } | null;
interface EncodedOutgoing {
  readonly number: number;
  readonly id: string;
  readonly topic: string;
  readonly key: EncodedBytes;
  readonly value: EncodedBytes;
  /** Several values under one name: as earlier versions wrote them. */
  readonly headers: readonly [string, EncodedHeader | EncodedHeader[]][];
}

/** A line as it is read: rows are cells. */
export type ParsedLine =
  | readonly ['rows', TableName, readonly Cells[]]
  | readonly ['undo', TableName, readonly Cells[]]
  /** Item, quantity, item, quantity, …: a batch of sales, by Sales. */
  | readonly ['quantities', readonly (string | number)[]]
  | Exclude<StateLine, readonly ['rows', ...unknown[]] | readonly ['undo', ...unknown[]]>;

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

export function outgoingLine(record: Unsent): StateLine {
  return [
    'outgoing',
    {
      number: record.number,
      id: record.id,
      topic: record.topic,
      key: encodeBytes(record.key),
      value: encodeBytes(record.value),
      headers: record.headers.map(([name, value]) => [name, encodeHeader(value)]),
    },
  ];
}

/** @throws SyntaxError, TypeError when it is no line of an outgoing record */
export function parseOutgoing(line: Buffer): Outgoing {
  const found = JSON.parse(line.toString('utf8')) as ParsedLine;
  if (found[0] !== 'outgoing') throw new TypeError('it is a line of another kind');
  const { id, topic, key, value, headers } = decodeOutgoing(found[1]);
  return { id, topic, key, value, headers };
}

function encodeBytes(bytes: Uint8Array | null): EncodedBytes {
  return bytes === null
    ? null
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function encodeHeader(value: HeaderValue): EncodedHeader {
  if (value === null) return null;
  return typeof value === 'string' ? { s: value } : { b: encodeBytes(value) ?? '' };
}

function decodeHeader(value: EncodedHeader): HeaderValue {
  if (value === null) return null;
  return 's' in value ? value.s : Buffer.from(value.b, 'base64');
}

function decodeOutgoing(encoded: EncodedOutgoing): Unsent {
  const { number, id, topic, key, value } = encoded;
  const headers: Headers = encoded.headers.flatMap(([name, header]) =>
    (Array.isArray(header) ? header : [header]).map((one) => [name, decodeHeader(one)] as const),
  );
  return {
    number,
    id,
    topic,
    key: key === null ? null : Buffer.from(key, 'base64'),
    value: value === null ? null : Buffer.from(value, 'base64'),
    headers,
  };
}

function positionKey(of: TopicPartition): string {
  return `${of.topic}/${of.partition}`;
}

export class Tables {
  readonly users = new Table<User>(USER_PARTS, USER_COLUMNS);
  readonly inventory = new Table<Item>(ITEM_PARTS, ITEM_COLUMNS.slice(0, 2));
  readonly #positions = new Map<string, Position>();
  /** In order of their numbers. */
  #unsent: Unsent[] = [];
  /** Of the last outgoing record that ever was. */
  #lastNumber = 0;

  get unsent(): readonly Unsent[] {
    return this.#unsent;
  }

  get lastNumber(): number {
    return this.#lastNumber;
  }

  position(of: TopicPartition): Position | undefined {
    return this.#positions.get(positionKey(of));
  }

  positions(): Position[] {
    return [...this.#positions.values()];
  }

  /** As applyParsed, for the lines of a snapshot: what they make of the tables differs from no file, as a line of them says. */
  restore(line: ParsedLine): void {
    if (line[0] !== 'rows') {
      this.applyParsed(line);
      return;
    }
    const table = this[line[1]] as Table<Row>;
    for (const cells of line[2]) {
      const row = rowOfCells(cells);
      if (row !== null) table.rows.set(cells[0], row);
    }
  }

  applyParsed(line: ParsedLine): void {
    if (line[0] === 'quantities') this.#setQuantities(line[1]);
    else if (line[0] === 'rows' || line[0] === 'undo') {
      const rows = line[2].map((cells): NamedRow => [cells[0], rowOfCells(cells)]);
      this.apply([line[0], line[1], rows]);
    } else this.apply(line);
  }

  apply(line: StateLine): void {
    switch (line[0]) {
      case 'rows': {
        const table = this[line[1]] as Table<Row>;
        for (const [name, row] of line[2]) table.set(name, row);
        break;
      }
      case 'undo': {
        const table = this[line[1]] as Table<Row>;
        for (const [name, row] of line[2]) table.remember(name, row);
        break;
      }
      case 'columns':
        this[line[1]].columns = line[2];
        break;
      case 'order':
        this[line[1]].reorder(line[2]);
        break;
      case 'version':
        this[line[1]].versionIs(line[2], line[3]);
        break;
      case 'position':
        this.#positions.set(positionKey(line[1]), line[1]);
        break;
      case 'outgoing':
        this.#lastNumber = line[1].number;
        this.#unsent.push(decodeOutgoing(line[1]));
        break;
      case 'sent':
        this.#lastNumber = Math.max(this.#lastNumber, line[1]);
        this.#unsent = this.#unsent.filter((record) => record.number > line[1]);
        break;
    }
  }

  applySales(sales: Sales): void {
    sales.forEach((place, quantity) => this.inventory.setValueAt(place, quantity));
  }

  #setQuantities(pairs: readonly (string | number)[]): void {
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      const place = this.inventory.rows.placeOf(String(pairs[index]));
      if (place !== undefined) this.inventory.setValueAt(place, Number(pairs[index + 1]));
    }
  }

  /** The lines that make these tables from nothing, as they are at the call: rows are never changed in place. */
  snapshot(): Iterable<StateLine> {
    const users = this.users.frozen();
    const inventory = this.inventory.frozen();
    const positions = this.positions();
    const unsent = this.#unsent.slice();
    // What was sent for good is before the first unsent record, or is all there ever was.
    const sent = (unsent[0]?.number ?? this.#lastNumber + 1) - 1;
    return (function* () {
      yield* tableLines('users', users, ({ user }) => user);
      yield* tableLines('inventory', inventory, ({ item }) => item);
      for (const position of positions) yield ['position', position];
      yield ['sent', sent];
      for (const record of unsent) yield outgoingLine(record);
    })();
  }
}

function* tableLines<R extends Row>(
  name: TableName,
  table: FrozenTable<R>,
  nameOf: (row: R) => string,
): Generator<StateLine> {
  yield ['columns', name, table.columns];
  const named = function* (): Generator<NamedRow> {
    for (const row of table.rows.values()) yield [nameOf(row), row];
  };
  yield* rowLines('rows', name, named());
  // After the rows: it forgets what the rows above have left.
  yield ['version', name, table.newest, table.older];
  yield* rowLines('undo', name, table.undo);
}
