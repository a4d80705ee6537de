import { difference } from '../../domain/difference.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { LoggedEdit } from '../../domain/edit.ts';
import type { Effect } from '../../domain/effects.ts';
import type { Fact, FactLog } from '../../domain/facts.ts';
import type { Item, User } from '../../domain/tables.ts';
import type {
  ArchivedSums,
  Finding,
  HistoryPlace,
  PlacedLines,
  StoreInspection,
} from '../../ports/health.ts';
import type {
  Destination,
  HistoryLine,
  LoggedMovement,
  Outgoing,
  StoredPosition,
  Undelivered,
} from '../../ports/store.ts';
import { archivesOf } from './archive/files.ts';
import type { Connection, Target } from './connection.ts';
import { instancesOf } from './owner/instances.ts';
import { firstRows, outgoingOf, type OutgoingRow } from './rows/outgoing.ts';
import type { PostgresView } from './view.ts';

/** Waiting messages to read at a time. */
const CHUNK = 2_000;

interface Known {
  readonly isOwned: boolean;
  readonly users: readonly User[];
  readonly items: readonly Item[];
  readonly positions: readonly StoredPosition[];
  readonly unsent: ReadonlyMap<Destination, number>;
  readonly effects: readonly Effect[];
  readonly archived: ArchivedSums | null;
}

/** One snapshot of the database, for an audit: there are no files that could contradict each other. */
export class PostgresInspection implements StoreInspection {
  readonly isOwned: boolean;
  readonly #view: PostgresView;
  readonly #connection: Connection;
  readonly #known: Known;

  private constructor(view: PostgresView, connection: Connection, known: Known) {
    this.isOwned = known.isOwned;
    this.#view = view;
    this.#connection = connection;
    this.#known = known;
  }

  /** @param connection the one of the view */
  static async open(
    view: PostgresView,
    connection: Connection,
    { archive }: Target,
  ): Promise<PostgresInspection> {
    const counts = await connection.query<{ destination: string; waiting: number }>(
      'SELECT destination, sum(message_count) AS waiting FROM orderctl.outbox GROUP BY destination',
    );
    return new PostgresInspection(view, connection, {
      isOwned: (await instancesOf(connection)).length > 0,
      users: [...(await view.users())],
      items: [...(await view.items())],
      positions: await view.positions(),
      unsent: new Map(counts.map(({ destination, waiting }) => [destination, waiting])),
      effects: await view.effects(),
      // With their folder, archived orders are read like all others.
      archived: archive == null ? await archivedSums(connection) : null,
    });
  }

  users(): Iterable<User> {
    return this.#known.users;
  }

  items(): Iterable<Item> {
    return this.#known.items;
  }

  positions(): readonly StoredPosition[] {
    return this.#known.positions;
  }

  unsent(): ReadonlyMap<Destination, number> {
    return this.#known.unsent;
  }

  async *allUnsent(): AsyncGenerator<Outgoing> {
    for (let id = 0; ;) {
      const rows = await this.#connection.query<OutgoingRow>(firstRows('id > $1', CHUNK), [id]);
      const last = rows.at(-1);
      if (last === undefined) return;
      id = last.id;
      for (const row of rows) yield* outgoingOf(row);
    }
  }

  undelivered(): AsyncIterable<Undelivered> {
    return this.#view.undelivered();
  }

  decided(orderId: string): Promise<Decided | undefined> {
    return this.#view.decided(orderId);
  }

  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<PlacedLines<Decided>> {
    return placed('orderctl.orders', this.#view.decisions(outcome));
  }

  edits(): AsyncIterable<PlacedLines<LoggedEdit>> {
    return placed('orderctl.edits', this.#view.edits());
  }

  movements(): AsyncIterable<PlacedLines<LoggedMovement>> {
    return placed('orderctl.stock_movements', this.#view.movements());
  }

  facts<T extends Fact>(log: FactLog<T>): AsyncIterable<PlacedLines<T>> {
    return placed(`orderctl.events_log ${log.name}`, this.#view.allFacts(log));
  }

  archived(): ArchivedSums | null {
    return this.#known.archived;
  }

  get place(): HistoryPlace {
    return this.#view.place;
  }

  historyFrom(
    from: HistoryPlace | null,
    facts: readonly FactLog<never>[],
  ): AsyncIterable<readonly HistoryLine[]> {
    return this.#view.historyFrom(from, facts);
  }

  effects(): Iterable<Effect> {
    return this.#known.effects;
  }

  whereRow(table: 'users' | 'items', name: string): string {
    return `orderctl.${table === 'users' ? 'users' : 'inventory'} ${name}`;
  }

  /** Keys, constraints and one transaction per commit leave little to find here. */
  async *findings(): AsyncGenerator<Finding> {
    const twice = await this.#connection.query<{ order_id: string; file: string }>(DECIDED_TWICE);
    for (const { order_id: orderId, file } of twice) {
      const where = `orderctl.orders ${orderId}`;
      const message = `order ${orderId} is in orderctl.orders, and archived in ${file}`;
      yield { difference: difference('decided_twice', where, { orderId, message }) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#view[Symbol.asyncDispose]();
  }
}

/** No key can prevent this: archived orders are in another table. */
const DECIDED_TWICE = `SELECT o.order_id, v.file FROM orderctl.orders o JOIN orderctl.archived_orders a USING (order_id)
  JOIN orderctl.archives v ON v.number = a.archive ORDER BY o.order_id LIMIT 100`;

async function archivedSums(connection: Connection): Promise<ArchivedSums | null> {
  const archives = await archivesOf(connection);
  if (archives.length === 0) return null;
  const sales = await connection.query<{ item: string; sold: number }>(
    'SELECT item, sold FROM orderctl.archived_sales',
  );
  const sum = (of: 'accepted' | 'rejected') => archives.reduce((total, archive) => total + archive[of], 0);
  const sold = new Map(sales.map(({ item, sold }) => [item, sold]));
  return { accepted: sum('accepted'), rejected: sum('rejected'), sold };
}

/** A table has no lines: its rows are counted in the order of history. */
async function* placed<T>(file: string, chunks: AsyncIterable<readonly T[]>): AsyncGenerator<PlacedLines<T>> {
  let firstLine = 1;
  for await (const lines of chunks) {
    yield { file, firstLine, lines };
    firstLine += lines.length;
  }
}
