import type { Item, User } from '../../../domain/tables.ts';
import type { Position, TopicPartition } from '../../../ports/store.ts';
import { INVENTORY, USERS, type Row, type TableName } from './columns.ts';
import { decodeOutgoing, type Unsent } from './outgoing.ts';
import { rowOfCells } from './row-cells.ts';
import type { Sales } from './sales.ts';
import { outgoingLine, rowLines, type NamedRow, type ParsedLine, type StateLine } from './state-line.ts';
import { Table, type FrozenTable } from './table.ts';

function positionKey(of: TopicPartition): string {
  return `${of.topic}/${of.partition}`;
}

/** What is true at this moment, in memory. */
export class Tables {
  readonly users = new Table<User>(USERS);
  readonly inventory = new Table<Item>(INVENTORY);
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
      yield* tableLines('users', users);
      yield* tableLines('inventory', inventory);
      for (const position of positions) yield ['position', position];
      yield ['sent', sent];
      for (const record of unsent) yield outgoingLine(record);
    })();
  }
}

function* tableLines<R extends Row>(name: TableName, table: FrozenTable<R>): Generator<StateLine> {
  yield ['columns', name, table.columns];
  const named = function* (): Generator<NamedRow> {
    for (const row of table.rows.values()) yield [table.kind.nameOf(row), row];
  };
  yield* rowLines('rows', name, named());
  // After the rows: it forgets what the rows above have left.
  yield ['version', name, table.newest, table.older];
  yield* rowLines('undo', name, table.undo);
}
