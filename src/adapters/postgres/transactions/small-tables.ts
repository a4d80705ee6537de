import type { SmallChange } from '../../../domain/facts.ts';
import type { Connection } from '../connection.ts';

/** All small tables, as the owner knows them: nobody else changes them. */
export class SmallTables {
  readonly #tables: Map<string, Map<string, unknown>>;
  /** What has changed since the last commit, by table and key. */
  readonly changed: Map<string, Map<string, unknown>>;

  private constructor(tables: Map<string, Map<string, unknown>>) {
    this.#tables = tables;
    this.changed = new Map();
  }

  /** For what looks at none. */
  static none(): SmallTables {
    return new SmallTables(new Map());
  }

  static async load(connection: Connection): Promise<SmallTables> {
    const tables = new Map<string, Map<string, unknown>>();
    const rows = await connection.query<{ table_name: string; key: string; value: unknown }>(
      'SELECT table_name, key, value FROM orderctl.small_tables ORDER BY place',
    );
    for (const { table_name, key, value } of rows) put(tables, table_name, key, value);
    return new SmallTables(tables);
  }

  /** The same tables, with changes of their own until `keep`. */
  draft(): SmallTables {
    return new SmallTables(this.#tables);
  }

  get(table: string, key: string): unknown {
    const changed = this.changed.get(table);
    if (changed?.has(key) === true) return changed.get(key) ?? undefined;
    return this.#tables.get(table)?.get(key);
  }

  rows(table: string): ReadonlyMap<string, unknown> {
    return this.#tables.get(table) ?? new Map();
  }

  change({ table, key, value }: SmallChange): void {
    put(this.changed, table.name, key, value);
  }

  /** They are committed. */
  keep(): void {
    for (const [table, rows] of this.changed) {
      for (const [key, value] of rows) {
        if (value === null) this.#tables.get(table)?.delete(key);
        else put(this.#tables, table, key, value);
      }
    }
  }
}

function put(tables: Map<string, Map<string, unknown>>, table: string, key: string, value: unknown): void {
  const rows = tables.get(table);
  if (rows === undefined) tables.set(table, new Map([[key, value]]));
  else rows.set(key, value);
}
