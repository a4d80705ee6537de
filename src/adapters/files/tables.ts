import type { Item, User } from '../../domain/tables.ts';
import type { Headers } from '../../ports/record.ts';
import type { Outgoing, Position, TopicPartition } from '../../ports/store.ts';
import { emptyItems, emptyUsers, type CsvTable } from './csv-view.ts';
import type { FileFingerprint } from './versions.ts';

/*
 * What is true at this moment, in memory, and the one language in which it is written down: state lines. A
 * snapshot is the lines that make the tables from nothing; a journal record holds the lines that change them.
 * Each carries values as they are afterwards, so that applying a line twice is the same as applying it once.
 */

export type TableName = 'users' | 'inventory';
export type Row = User | Item;

/** A table, and how it differs from the file that people see. */
export interface TableState<R extends Row> extends CsvTable<R> {
  /** What rows were in the newest known version of the CSV, where that differs; null: not there. */
  undo: Map<string, R | null>;
  /** The same against the rows that are being rendered for the next version; null: none is. */
  sinceRender: Map<string, R | null> | null;
  /** The newest version of the CSV that is or was on disk; null: none yet. */
  newest: FileFingerprint | null;
}

/** An outgoing record and its place in the order of all that ever were. */
export interface Unsent extends Outgoing {
  readonly number: number;
}

export type StateLine =
  | readonly ['user', string, User | null]
  | readonly ['item', string, Item | null]
  /** Item, quantity, item, quantity, …: the common case, a batch of sales. */
  | readonly ['quantities', readonly (string | number)[]]
  | readonly ['columns', TableName, readonly string[]]
  /** Rows in a new order. */
  | readonly ['order', TableName, readonly string[]]
  /** This is the newest known version of the CSV now; `undo` lines say how the table differs from it. */
  | readonly ['version', TableName, FileFingerprint | null]
  | readonly ['undo', TableName, string, Row | null]
  | readonly ['position', Position]
  | readonly ['outgoing', EncodedOutgoing]
  /** All up to this number were sent. */
  | readonly ['sent', number];

type EncodedBytes = string | null;
type EncodedHeader = { s: string } | { b: string };
interface EncodedOutgoing {
  readonly number: number;
  readonly id: string;
  readonly topic: string;
  readonly key: EncodedBytes;
  readonly value: EncodedBytes;
  readonly headers: readonly [string, EncodedHeader | EncodedHeader[]][];
}

export function renderLine(line: StateLine): string {
  return `${JSON.stringify(line)}\n`;
}

export function outgoingLine(record: Unsent): StateLine {
  const headers = Object.entries(record.headers).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[name, Array.isArray(value) ? value.map(encodeHeader) : encodeHeader(value)] as const],
  );
  return [
    'outgoing',
    {
      number: record.number,
      id: record.id,
      topic: record.topic,
      key: encodeBytes(record.key),
      value: encodeBytes(record.value),
      headers: headers.map(([name, value]) => [name, value]),
    },
  ];
}

/** @throws SyntaxError, TypeError when it is no line of an outgoing record */
export function parseOutgoing(line: Buffer): Outgoing {
  const found = JSON.parse(line.toString('utf8')) as StateLine;
  if (found[0] !== 'outgoing') throw new TypeError('it is a line of another kind');
  const { id, topic, key, value, headers } = decodeOutgoing(found[1]);
  return { id, topic, key, value, headers };
}

function encodeBytes(bytes: Uint8Array | null): EncodedBytes {
  return bytes === null
    ? null
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function encodeHeader(value: Uint8Array | string): EncodedHeader {
  return typeof value === 'string' ? { s: value } : { b: encodeBytes(value) ?? '' };
}

function decodeHeader(value: EncodedHeader): Uint8Array | string {
  return 's' in value ? value.s : Buffer.from(value.b, 'base64');
}

function decodeOutgoing(encoded: EncodedOutgoing): Unsent {
  const { number, id, topic, key, value } = encoded;
  const headers: Headers = Object.fromEntries(
    encoded.headers.map(([name, header]) => [
      name,
      Array.isArray(header) ? header.map(decodeHeader) : decodeHeader(header),
    ]),
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
  readonly users: TableState<User> = { ...emptyUsers(), undo: new Map(), sinceRender: null, newest: null };
  readonly inventory: TableState<Item> = {
    ...emptyItems(),
    undo: new Map(),
    sinceRender: null,
    newest: null,
  };
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

  /** As apply, for the lines of a snapshot: what they make of the tables differs from no file, as a line of them says. */
  restore(line: StateLine): void {
    if (line[0] === 'user' && line[2] !== null) this.users.rows.set(line[1], line[2]);
    else if (line[0] === 'item' && line[2] !== null) this.inventory.rows.set(line[1], line[2]);
    else this.apply(line);
  }

  apply(line: StateLine): void {
    switch (line[0]) {
      case 'user':
        setRow(this.users, line[1], line[2]);
        break;
      case 'item':
        setRow(this.inventory, line[1], line[2]);
        break;
      case 'quantities':
        this.#applyQuantities(line[1]);
        break;
      case 'columns':
        this[line[1]].columns = line[2];
        break;
      case 'order':
        if (line[1] === 'users') reorder(this.users, line[2]);
        else reorder(this.inventory, line[2]);
        break;
      case 'version':
        this[line[1]].newest = line[2];
        this[line[1]].undo.clear();
        break;
      case 'undo':
        (this[line[1]].undo as Map<string, Row | null>).set(line[2], line[3]);
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

  #applyQuantities(pairs: readonly (string | number)[]): void {
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      const item = String(pairs[index]);
      const before = this.inventory.rows.get(item);
      if (before === undefined) continue;
      changeRow(this.inventory, item, before, { ...before, quantity: Number(pairs[index + 1]) });
    }
  }

  /** The lines that make these tables from nothing, as they are at the call: rows are never changed in place. */
  snapshot(): Iterable<StateLine> {
    const users = frozen(this.users);
    const inventory = frozen(this.inventory);
    const positions = this.positions();
    const unsent = this.#unsent.slice();
    // What was sent for good is before the first unsent record, or is all there ever was.
    const sent = (unsent[0]?.number ?? this.#lastNumber + 1) - 1;
    return (function* () {
      yield* tableLines('users', users, (row) => ['user', row.user, row]);
      yield* tableLines('inventory', inventory, (row) => ['item', row.item, row]);
      for (const position of positions) yield ['position', position];
      yield ['sent', sent];
      for (const record of unsent) yield outgoingLine(record);
    })();
  }
}

/** Changes one row and remembers what it was in the newest version of the file. A new row goes to the end. */
function setRow<R extends Row>(table: TableState<R>, name: string, row: R | null): void {
  changeRow(table, name, table.rows.get(name) ?? null, row);
}

function changeRow<R extends Row>(table: TableState<R>, name: string, before: R | null, row: R | null): void {
  if (!table.undo.has(name)) table.undo.set(name, before);
  if (table.sinceRender?.has(name) === false) table.sinceRender.set(name, before);
  if (row === null) table.rows.delete(name);
  else table.rows.set(name, row);
}

function reorder<R extends Row>(table: TableState<R>, names: readonly string[]): void {
  const rows = new Map<string, R>();
  for (const name of names) {
    const row = table.rows.get(name);
    if (row !== undefined) rows.set(name, row);
  }
  for (const [name, row] of table.rows) if (!rows.has(name)) rows.set(name, row);
  table.rows = rows;
}

function frozen<R extends Row>(table: TableState<R>) {
  return {
    columns: table.columns,
    newest: table.newest,
    rows: [...table.rows.values()],
    undo: [...table.undo],
  };
}

function* tableLines<R extends Row>(
  name: TableName,
  table: ReturnType<typeof frozen<R>>,
  rowLine: (row: R) => StateLine,
): Generator<StateLine> {
  yield ['columns', name, table.columns];
  for (const row of table.rows) yield rowLine(row);
  // After the rows: it forgets what the rows above have left in `undo`.
  yield ['version', name, table.newest];
  for (const [row, before] of table.undo) yield ['undo', name, row, before];
}
