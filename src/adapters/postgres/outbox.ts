import { createHash } from 'node:crypto';
import { destinationOf, type Destination, type Outgoing, type OutgoingRecord } from '../../ports/store.ts';
import type { Connection } from './connection.ts';
import type { LastingConnection, Queries } from './lasting.ts';
import type { Shards } from './owner/shards.ts';
import { bodyOf, bytesOf, firstRows, outgoingOf, type OutgoingRow } from './rows/outgoing.ts';
import type { Turns } from './turns.ts';

/** Most messages in memory for one destination. */
const WINDOW = 2_000;
/** Headers about when and how often the delivery failed, not about the record itself. */
const OF_THE_FAILURE = new Set(['x-failed-at', 'x-attempts']);

/** By the index outbox_by_destination, skipping messages that other processes send. */
const NEXT = firstRows('destination = $1 AND shard = ANY($2)', WINDOW);
/** By the rows that were sent, never up to one of them: ids are not in the order of commits. */
const DELETE_SENT = 'DELETE FROM orderctl.outbox WHERE id = ANY($1)';
/** Steps from one destination to the next by outbox_by_destination, and counts a limited number of rows for each. */
const COUNT = `WITH RECURSIVE d AS (
    SELECT (SELECT destination FROM orderctl.outbox ORDER BY destination LIMIT 1) AS destination
    UNION ALL
    SELECT (SELECT destination FROM orderctl.outbox o WHERE o.destination > d.destination ORDER BY destination LIMIT 1)
    FROM d WHERE d.destination IS NOT NULL)
  SELECT destination, sum(message_count) AS waiting FROM d CROSS JOIN LATERAL (
    SELECT message_count FROM orderctl.outbox o WHERE o.destination = d.destination AND shard = ANY($1) LIMIT $2) AS waiting
  GROUP BY destination`;
/**
 * Most rows to count for one destination, as others may add to it meanwhile; the rest is counted once these are sent.
 */
const MOST_COUNTED = 20_000;
const KEEP = `INSERT INTO orderctl.undelivered (name, digest, body, key, value) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (name) DO UPDATE SET body = EXCLUDED.body`;

const ELSEWHERE =
  'SELECT coalesce(sum(message_count), 0) AS waiting FROM orderctl.outbox WHERE NOT shard = ANY($1)';

interface Window {
  /** The term in which it was read. */
  readonly term: number;
  readonly ids: readonly number[];
  readonly outgoing: readonly Outgoing[];
}

/** The messages that this process must send: those in its shards, as of the latest check for what others have added. */
export class Outbox {
  readonly #connection: LastingConnection;
  readonly #turns: Turns;
  readonly #shards: Shards;
  readonly #onMoved: () => void;
  #waiting = new Map<Destination, number>();
  /** Destinations that may have more messages than were counted. */
  #hasMore: ReadonlySet<Destination> = new Set();
  /** Read, but not known to be sent yet. */
  readonly #windows = new Map<Destination, Window>();
  readonly #drains = new Map<Destination, Promise<unknown>>();

  /** @param onMoved its shards have changed: everything that is pending must be checked */
  constructor(connection: LastingConnection, turns: Turns, shards: Shards, onMoved: () => void) {
    this.#connection = connection;
    this.#turns = turns;
    this.#shards = shards;
    this.#onMoved = onMoved;
  }

  /** Call in a turn, so that this process neither adds nor sends messages meanwhile. */
  async recount(connection: Queries, most = MOST_COUNTED): Promise<void> {
    const rows = await connection.query<{ destination: string; waiting: number }>(COUNT, [
      this.#shards.all,
      most,
    ]);
    this.#waiting = new Map(rows.map((row) => [row.destination, row.waiting]));
    this.#hasMore = new Set(rows.filter(({ waiting }) => waiting >= most).map((row) => row.destination));
  }

  /**
   * Counts committed messages. @param shards the shard of each @returns whether some are for other processes to send
   */
  add(outgoing: readonly Outgoing[], shards: readonly number[]): boolean {
    let isForOthers = false;
    outgoing.forEach((one, at) => {
      if (this.#shards.has(shards[at] ?? 0)) this.#count(destinationOf(one), 1);
      else isForOthers = true;
    });
    return isForOthers;
  }

  #count(destination: Destination, change: number): void {
    const waiting = (this.#waiting.get(destination) ?? 0) + change;
    if (waiting > 0) this.#waiting.set(destination, waiting);
    else this.#waiting.delete(destination);
  }

  /** Call in a turn, after the messages were removed from the outbox. */
  async #countSent(destination: Destination, count: number): Promise<void> {
    const isUsedUp = (this.#waiting.get(destination) ?? 0) <= count;
    if (isUsedUp && this.#hasMore.has(destination)) await this.recount(this.#connection);
    else this.#count(destination, -count);
  }

  unsent(): ReadonlyMap<Destination, number> {
    return new Map(this.#waiting);
  }

  /** The number of messages in shards that other processes have, or none. */
  async unsentElsewhere(): Promise<number> {
    const [row] = await this.#turns.run(() =>
      this.#connection.query<{ waiting: number }>(ELSEWHERE, [this.#shards.all]),
    );
    return row?.waiting ?? 0;
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
      await this.#turns.run(async () => {
        await this.#connection.transaction(async (connection) => {
          for (const record of refused) await keepUndelivered(connection, record);
          await connection.query(DELETE_SENT, [ids]);
        });
        await this.#countSent(destination, outgoing.length);
      });
      this.#windows.delete(destination);
      return outgoing.length - refused.length;
    });
    this.#drains.set(
      destination,
      run.catch(() => undefined),
    );
    return run;
  }

  /** In a turn, so that the shards, which may change at any time, are those of one moment. */
  #next(destination: Destination): Promise<Window> {
    return this.#turns.run(async () => {
      if (!this.#shards.isInForce) await this.#leaseAgain();
      const { term, all } = this.#shards;
      const known = this.#windows.get(destination);
      if (known?.term === term) return known;
      const rows = await this.#connection.query<OutgoingRow>(NEXT, [destination, all]);
      const window = { term, ids: rows.map(({ id }) => id), outgoing: rows.flatMap(outgoingOf) };
      if (rows.length > 0) this.#windows.set(destination, window);
      // Other processes have sent what was counted, so the messages are counted again.
      else await this.recount(this.#connection);
      return window;
    });
  }

  /** After a sleep, others may have sent this process's messages, and left other messages and effects to it. */
  async #leaseAgain(): Promise<void> {
    if (await this.#shards.lease(this.#connection)) this.#onMoved();
    await this.recount(this.#connection);
  }

  /** Resolves when nothing is being sent. */
  async settled(): Promise<void> {
    await Promise.all(this.#drains.values());
  }
}

/** A record that is refused again replaces its first copy; another record with that id gets a name of its own. */
export async function keepUndelivered(connection: Connection, record: OutgoingRecord): Promise<void> {
  const digest = digestOf(record);
  const [first] = await connection.query<{ digest: string }>(
    'SELECT digest FROM orderctl.undelivered WHERE name = $1',
    [record.id],
  );
  const isOther = first !== undefined && first.digest !== digest;
  const name = isOther ? `${record.id}~${digest.slice(0, 8)}` : record.id;
  const [key, value] = [bytesOf(record.key), bytesOf(record.value)];
  await connection.query(KEEP, [name, digest, bodyOf(record), key, value]);
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
