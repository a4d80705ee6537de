import type { Item, User } from '../../../domain/tables.ts';
import type { Source, StoredPosition } from '../../../ports/store.ts';
import { INVENTORY, USERS, type Row, type TableName } from './columns.ts';
import { numberOfFacts, type KnownFacts } from '../ids/indexed-logs.ts';
import { Queues } from '../outbox/queues.ts';
import { OwedTable } from './owed-table.ts';
import { rowOfCells } from './row-cells.ts';
import type { Sales } from './sales.ts';
import { rowLines, smallLines, type NamedRow, type ParsedLine, type StateLine } from './state-line.ts';
import { Table, type FrozenTable } from './table.ts';

function positionKey({ processor, topic, partition }: Source): string {
  return `${processor}/${topic}/${partition}`;
}

/** The true state at this moment, in memory. */
export class Tables {
  readonly users = new Table<User>(USERS);
  readonly inventory = new Table<Item>(INVENTORY);
  /** By name of the table, then by key of the row. */
  readonly small = new Map<string, Map<string, unknown>>();
  readonly effects = new OwedTable();
  /** The existing logs of facts, by name. */
  readonly facts = new Map<string, KnownFacts>();
  readonly #positions = new Map<string, StoredPosition>();
  /** The outbox. */
  readonly queues = new Queues();

  position(of: Source): StoredPosition | undefined {
    return this.#positions.get(positionKey(of));
  }

  positions(): StoredPosition[] {
    return [...this.#positions.values()];
  }

  /**
   * Like `applyParsed`, for the lines of a snapshot: the tables that they create do not differ from the files, unless a
   * line says so.
   */
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
    else if (line[0] === 'outgoing' || line[0] === 'sent') this.queues.applyFormer(line);
    else if (line[0] === 'position') this.apply(['position', { processor: 'orders', ...line[1] }]);
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
      case 'segment':
      case 'queued':
      case 'drained':
        this.queues.apply(line);
        break;
      case 'small':
        this.#setSmall(line[1], line[2]);
        break;
      case 'effect':
        if (line[2] === null) this.effects.delete(line[1]);
        else this.effects.set(line[2]);
        break;
      case 'tried':
        for (const [id, attempts, firstTriedAt] of line[2])
          this.effects.tried(id, { dueAt: line[1], attempts, firstTriedAt });
        break;
      case 'facts':
        this.#addFacts(line[1], line[2]);
        break;
    }
  }

  /** Numbered in the order of their creation, which a snapshot preserves. */
  #addFacts(name: string, key: string): void {
    if (!this.facts.has(name)) this.facts.set(name, { key, number: numberOfFacts(this.facts.size) });
  }

  #setSmall(table: string, rows: Iterable<readonly [string, unknown]>): void {
    const found = this.small.get(table) ?? new Map<string, unknown>();
    this.small.set(table, found);
    for (const [key, value] of rows) {
      if (value === null) found.delete(key);
      else found.set(key, value);
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

  /**
   * The lines that create these tables from scratch, as they are at the call, since rows are never changed in place.
   */
  snapshot(): Iterable<StateLine> {
    const users = this.users.frozen();
    const inventory = this.inventory.frozen();
    const positions = this.positions();
    const queues = this.queues.snapshot();
    const small = Array.from(this.small, ([name, rows]) => [name, [...rows]] as const);
    const effects = [...this.effects.values()];
    const facts = [...this.facts];
    return (function* () {
      yield* tableLines('users', users);
      yield* tableLines('inventory', inventory);
      for (const position of positions) yield ['position', position];
      yield* queues;
      for (const [name, rows] of small) yield* smallLines(name, rows);
      for (const effect of effects) yield ['effect', effect.id, effect];
      for (const [name, { key }] of facts) yield ['facts', name, key];
    })();
  }
}

function* tableLines<R extends Row>(name: TableName, table: FrozenTable<R>): Generator<StateLine> {
  yield ['columns', name, table.columns];
  const named = function* (): Generator<NamedRow> {
    for (const row of table.rows.values()) yield [table.kind.nameOf(row), row];
  };
  yield* rowLines('rows', name, named());
  // After the rows: it discards what these have recorded.
  yield ['version', name, table.newest, table.older];
  yield* rowLines('undo', name, table.undo);
}
