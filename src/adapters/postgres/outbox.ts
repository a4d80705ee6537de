import { createHash } from 'node:crypto';
import { destinationOf, type Destination, type Outgoing, type OutgoingRecord } from '../../ports/store.ts';
import type { Connection } from './connection.ts';
import { bodyOf, outgoingOf, rowOf, type OutgoingRow } from './rows/outgoing.ts';
import type { Turns } from './turns.ts';

/** What is in memory for one destination. */
const WINDOW_ROWS = 2_000;
/** Headers about when and how often it failed, not about what it is. */
const OF_THE_FAILURE = new Set(['x-failed-at', 'x-attempts']);

/** By outbox_by_destination. */
const NEXT = `SELECT id, body, key, value FROM orderctl.outbox WHERE destination = $1 ORDER BY id LIMIT ${WINDOW_ROWS}`;
/** By the rows that were sent, never up to one of them: ids are not in the order of commits. */
const DELETE_SENT = 'DELETE FROM orderctl.outbox WHERE id = ANY($1)';
const COUNT = 'SELECT destination, count(*) AS waiting FROM orderctl.outbox GROUP BY destination';
const KEEP = `INSERT INTO orderctl.undelivered (name, digest, body, key, value) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (name) DO UPDATE SET body = EXCLUDED.body`;

interface Window {
  readonly ids: readonly number[];
  readonly outgoing: readonly Outgoing[];
}

/** What waits to be sent, for its owner: nobody else adds to it or takes from it. */
export class Outbox {
  readonly #connection: Connection;
  readonly #turns: Turns;
  readonly #waiting: Map<Destination, number>;
  /** Read and not yet known to be sent. */
  readonly #windows = new Map<Destination, Window>();
  readonly #drains = new Map<Destination, Promise<unknown>>();

  private constructor(connection: Connection, turns: Turns, waiting: Map<Destination, number>) {
    this.#connection = connection;
    this.#turns = turns;
    this.#waiting = waiting;
  }

  static async open(connection: Connection, turns: Turns): Promise<Outbox> {
    const rows = await connection.query<{ destination: string; waiting: number }>(COUNT);
    return new Outbox(connection, turns, new Map(rows.map((row) => [row.destination, row.waiting])));
  }

  /** They are committed. */
  add(outgoing: readonly Outgoing[]): void {
    for (const one of outgoing) this.#count(destinationOf(one), 1);
  }

  #count(destination: Destination, change: number): void {
    const waiting = (this.#waiting.get(destination) ?? 0) + change;
    if (waiting > 0) this.#waiting.set(destination, waiting);
    else this.#waiting.delete(destination);
  }

  unsent(): ReadonlyMap<Destination, number> {
    return new Map(this.#waiting);
  }

  drain(
    destination: Destination,
    send: (unsent: readonly Outgoing[]) => Promise<readonly OutgoingRecord[]>,
  ): Promise<number> {
    const before = this.#drains.get(destination) ?? Promise.resolve();
    const run = before.then(async () => {
      if (!this.#waiting.has(destination)) return 0;
      const { ids, outgoing } = await this.#next(destination);
      if (ids.length === 0) return 0;
      const refused = await send(outgoing);
      await this.#turns.run(() =>
        this.#connection.transaction(async () => {
          for (const record of refused) await this.#keep(record);
          await this.#connection.query(DELETE_SENT, [ids]);
        }),
      );
      this.#windows.delete(destination);
      this.#count(destination, -ids.length);
      return ids.length - refused.length;
    });
    this.#drains.set(
      destination,
      run.catch(() => undefined),
    );
    return run;
  }

  async #next(destination: Destination): Promise<Window> {
    const known = this.#windows.get(destination);
    if (known !== undefined) return known;
    const rows = await this.#turns.run(() =>
      this.#connection.query<OutgoingRow & { id: number }>(NEXT, [destination]),
    );
    const window = { ids: rows.map(({ id }) => id), outgoing: rows.map(outgoingOf) };
    this.#windows.set(destination, window);
    return window;
  }

  /** One that is refused again replaces the first; another of that id gets a name of its own. */
  async #keep(record: OutgoingRecord): Promise<void> {
    const digest = digestOf(record);
    const [first] = await this.#connection.query<{ digest: string }>(
      'SELECT digest FROM orderctl.undelivered WHERE name = $1',
      [record.id],
    );
    const isOther = first !== undefined && first.digest !== digest;
    const name = isOther ? `${record.id}~${digest.slice(0, 8)}` : record.id;
    const { body, key, value } = rowOf(record);
    await this.#connection.query(KEEP, [name, digest, body, key, value]);
  }

  /** Resolves when nothing is being sent. */
  async settled(): Promise<void> {
    await Promise.all(this.#drains.values());
  }
}

/** Equal for the same record that failed again. */
function digestOf(record: OutgoingRecord): string {
  const headers = record.headers.filter(([name]) => !OF_THE_FAILURE.has(name));
  const hash = createHash('sha256').update(bodyOf({ ...record, headers }));
  for (const bytes of [record.key, record.value]) {
    hash.update(bytes === null ? 'none' : `${bytes.byteLength} bytes `).update(bytes ?? '');
  }
  return hash.digest('hex');
}
