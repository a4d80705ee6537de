import type { Queries } from '../lasting.ts';
import { SHARDS } from '../rows/outgoing.ts';
import { LEASE_S } from './instances.ts';

/** A lease is considered to end slightly before it does, when no other process can have the shard yet. */
const SLACK_MS = 1_000;

const MAKE = `INSERT INTO orderctl.outbox_shards (shard) SELECT generate_series(0, ${SHARDS - 1}) ON CONFLICT DO NOTHING`;
/**
 * A fair share: first the shards that this process has, then those that no process has any more. Any beyond its share
 * are given back. A shard that another process is taking at this moment is left to it.
 */
const LEASE = `WITH share AS (
    SELECT ceil(${SHARDS}.0 / greatest(1, count(*)))::int AS size FROM orderctl.instances
    WHERE NOT is_out AND seen_at > clock_timestamp() - interval '${LEASE_S} s'
  ), wanted AS (
    SELECT shard FROM orderctl.outbox_shards s
    WHERE holder IS NULL OR holder = $1 OR held_until < clock_timestamp()
      OR NOT EXISTS (SELECT FROM orderctl.instances i WHERE i.id = s.holder AND NOT i.is_out)
    ORDER BY (holder = $1) IS TRUE DESC, shard LIMIT (SELECT size FROM share) FOR UPDATE SKIP LOCKED
  ), given_back AS (
    UPDATE orderctl.outbox_shards SET holder = NULL
    WHERE holder = $1 AND shard NOT IN (SELECT shard FROM wanted)
  )
  UPDATE orderctl.outbox_shards s SET holder = $1, held_until = clock_timestamp() + interval '${LEASE_S} s'
  FROM wanted WHERE s.shard = wanted.shard RETURNING s.shard`;

/**
 * The shards of the outbox that this process sends. Leases only avoid repeats, and nothing relies on them: a process
 * that was asleep may send again what others have sent, under the same ids.
 */
export class Shards {
  readonly #instanceId: string;
  #held: ReadonlySet<number> = new Set();
  /** By the monotonic clock. */
  #untilMs = -Infinity;
  #leasing: Promise<unknown> = Promise.resolve();
  /** Increases whenever others may have sent what was read for sending. */
  term = 0;

  constructor(instanceId: string) {
    this.#instanceId = instanceId;
  }

  /** Creates the shards that are missing, and takes a first share. */
  async start(connection: Queries): Promise<void> {
    await connection.query(MAKE);
    await this.lease(connection);
  }

  /**
   * Renews the shards it has, and takes free ones. One at a time, since a second call would skip the rows that the
   * first has locked, and give those shards back.
   *
   * @returns whether the shards have changed
   */
  lease(connection: Queries): Promise<boolean> {
    const leased = this.#leasing.then(() => this.#lease(connection));
    this.#leasing = leased.catch(() => undefined);
    return leased;
  }

  async #lease(connection: Queries): Promise<boolean> {
    const from = performance.now();
    const rows = await connection.query<{ shard: number }>(LEASE, [this.#instanceId]);
    const held = new Set(rows.map(({ shard }) => shard));
    const isSame =
      this.isInForce && held.size === this.#held.size && [...held].every((shard) => this.#held.has(shard));
    this.#held = held;
    this.#untilMs = from + LEASE_S * 1_000 - SLACK_MS;
    if (!isSame) this.term += 1;
    return !isSame;
  }

  /** Whether the leases are valid; after a sleep, others may have the shards. */
  get isInForce(): boolean {
    return performance.now() < this.#untilMs;
  }

  /** Whether half of the lease is over. */
  get isAging(): boolean {
    return performance.now() > this.#untilMs - (LEASE_S * 1_000) / 2;
  }

  has(shard: number): boolean {
    return this.#held.has(shard);
  }

  /** The numbers of the shards. */
  get all(): readonly number[] {
    return [...this.#held];
  }
}
