import { randomUUID } from 'node:crypto';
import { keyIn, type ListName, type ListRow, type Lists } from '../../../ports/whole/lists.ts';
import { Connection, type Target } from '../connection.ts';
import { noStore } from '../edit.ts';
import { checkedMigrations, migrate, refuseOlder } from '../migrate.ts';

/** The columns of the tables and their types; the first one is the key. */
const TYPES: Readonly<Record<ListName, Readonly<Record<string, string>>>> = {
  suppliers: { supplier_id: 'text', name: 'text', contact: 'text' },
  reports: {
    report_date: 'date',
    time_zone: 'text',
    total_sales: 'numeric',
    top_sellers: 'json',
    low_stock: 'json',
  },
};

/** The lists of a database: one table each, which SQL may change as well. */
export function postgresLists(target: Target): Lists {
  return {
    async rows(list) {
      await using connection = await Connection.open(target);
      const applied = await checkedMigrations(connection);
      if (applied === null) throw noStore(target.url);
      refuseOlder(target.url, applied);
      return await readList(connection, list);
    },
    async change(list, change) {
      await using connection = await Connection.open(target);
      if ((await checkedMigrations(connection)) === null) throw noStore(target.url);
      await migrate(connection, randomUUID);
      await connection.transaction(async () => {
        // Readers continue; another process that changes the list waits.
        await connection.query(`LOCK TABLE orderctl.${list} IN SHARE ROW EXCLUSIVE MODE`);
        const before = await readList(connection, list);
        await replaceList(connection, list, before, change(before));
      });
    },
  };
}

export async function readList(connection: Connection, list: ListName): Promise<readonly ListRow[]> {
  const columns = Object.keys(TYPES[list]);
  const cells = columns.map((name) => `coalesce(${name}::text, '') AS ${name}`).join(', ');
  return connection.query<ListRow>(
    `SELECT ${cells} FROM orderctl.${list} t ORDER BY t.${columns[0] ?? ''}::text COLLATE "C"`,
  );
}

/** Call in a transaction. @param before the rows that it has */
export async function replaceList(
  connection: Connection,
  list: ListName,
  before: readonly ListRow[],
  after: readonly ListRow[],
): Promise<void> {
  const types = Object.entries(TYPES[list]);
  const [key = ''] = Object.keys(TYPES[list]);
  const kept = new Set(after.map((row) => keyIn(list, row)));
  const gone = before.map((row) => keyIn(list, row)).filter((name) => !kept.has(name));
  await connection.query(`DELETE FROM orderctl.${list} WHERE ${key}::text = ANY ($1)`, [gone]);
  const known = new Map(before.map((row) => [keyIn(list, row), JSON.stringify(row)]));
  const changed = after.filter((row) => known.get(keyIn(list, row)) !== JSON.stringify(row));
  const names = types.map(([name]) => name).join(', ');
  await connection.query(
    `INSERT INTO orderctl.${list} (${names})
     SELECT ${types.map(([name, type]) => `nullif(${name}, '')::${type}`).join(', ')}
     FROM unnest(${types.map((_, at) => `$${at + 1}::text[]`).join(', ')}) AS r (${names})
     ON CONFLICT (${key}) DO UPDATE SET ${types.map(([name]) => `${name} = EXCLUDED.${name}`).join(', ')}`,
    types.map(([name]) => changed.map((row) => row[name] ?? '')),
  );
}
