import type { SmallChange } from '../../../domain/facts.ts';
import type { Queries } from '../lasting.ts';

interface SmallRow {
  readonly table_name: string;
  readonly key: string;
  /** null: the row was deleted. */
  readonly value: unknown;
  readonly seq: number;
}

/** By the index small_tables_changed. */
const CHANGED = `SELECT table_name, key, value, seq FROM orderctl.small_tables WHERE seq > $1 ORDER BY seq, place`;
const ALL = `SELECT table_name, key, value, seq FROM orderctl.small_tables ORDER BY place`;

/** All small tables, as of the last commit that was read: numbers rise in the order of commits. */
export class SmallTables {
  readonly #tables = new Map<string, Map<string, unknown>>();
  #seq = 0;

  static async load(connection: Queries): Promise<SmallTables> {
    const tables = new SmallTables();
    tables.#take(await connection.query<SmallRow>(ALL));
    return tables;
  }

  /** The commit of the last change that they contain. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Brings them up to date. Call it in a transaction that holds the lock of commits.
   *
   * @param seq the commit of the last change in the database
   */
  async follow(connection: Queries, seq: number): Promise<void> {
    if (seq > this.#seq) this.#take(await connection.query<SmallRow>(CHANGED, [this.#seq]));
  }

  #take(rows: readonly SmallRow[]): void {
    for (const { table_name, key, value, seq } of rows) {
      if (value === null) this.#tables.get(table_name)?.delete(key);
      else put(this.#tables, table_name, key, value);
      this.#seq = Math.max(this.#seq, seq);
    }
  }

  /** The same tables, with changes of their own until `keep`. */
  draft(): SmallDraft {
    return new SmallDraft(this);
  }

  get(table: string, key: string): unknown {
    return this.#tables.get(table)?.get(key);
  }

  /** Applies committed changes. @param seq the number under which they were written */
  keep({ changed }: SmallDraft, seq: number): void {
    for (const [table, rows] of changed) {
      for (const [key, value] of rows) {
        if (value === null) this.#tables.get(table)?.delete(key);
        else put(this.#tables, table, key, value);
      }
    }
    if (changed.size > 0) this.#seq = Math.max(this.#seq, seq);
  }
}

/** Small tables while transactions change them. */
export class SmallDraft {
  readonly #tables: SmallTables;
  /** By table and key. */
  readonly changed = new Map<string, Map<string, unknown>>();

  constructor(tables: SmallTables) {
    this.#tables = tables;
  }

  get(table: string, key: string): unknown {
    const changed = this.changed.get(table);
    if (changed?.has(key) === true) return changed.get(key) ?? undefined;
    return this.#tables.get(table, key);
  }

  change({ table, key, value }: SmallChange): void {
    put(this.changed, table.name, key, value);
  }
}

function put(tables: Map<string, Map<string, unknown>>, table: string, key: string, value: unknown): void {
  const rows = tables.get(table);
  if (rows === undefined) tables.set(table, new Map([[key, value]]));
  else rows.set(key, value);
}
