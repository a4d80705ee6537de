import { setTimeout as sleep } from 'node:timers/promises';
import { encodeBatch } from '../../../src/adapters/kafka/protocol/encode-batch.ts';
import type { ThreeNodes } from './cluster.ts';
import type { Leaders } from './leaders.ts';
import { NodeConnection, produce } from './requests.ts';

export const ITEMS = ['book', 'pen', 'notebook'];
/**
 * Intervals, in records: of an order that is sent twice, one of bob, who has not paid, and a record that is no order.
 */
const TWICE = 97;
const UNPAID = 10;
const BAD = 211;

const PAUSE_MS = 20;
/** Pause after a refusal: a leader is found in milliseconds, but must not be requested in a tight loop. */
const RETRY_MS = 50;
const MAX_RECORDS = 500;

export interface Acknowledged {
  readonly partition: number;
  /** The offset of the batch's first record. */
  readonly offset: number;
  readonly ids: readonly string[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * A producer that sends a fixed number of orders a second, spread over all partitions, and never gives up: a batch that
 * is not acknowledged is sent again, with the same ids, to the leader at that time. It connects to the nodes directly,
 * past the proxies, so that orderctl's input does not depend on what orderctl can reach.
 */
export class Flow {
  /** By partition, in order of time. */
  readonly #acknowledged = new Map<number, Acknowledged[]>();
  readonly #cluster: ThreeNodes;
  readonly #leaders: Leaders;
  readonly #topic: string;
  readonly #perSecond: number;
  readonly #senders = new Map<number, Promise<void>>();
  #stopped = false;
  #abandoned = false;
  #watching: Promise<void>;

  constructor(cluster: ThreeNodes, leaders: Leaders, topic: string, perSecond: number) {
    this.#cluster = cluster;
    this.#leaders = leaders;
    this.#topic = topic;
    this.#perSecond = perSecond;
    this.#watching = this.#watch();
  }

  /** The acknowledged orders, each once. */
  ids(): Set<string> {
    return new Set(
      this.#batches()
        .flatMap(({ ids }) => ids)
        .filter((id) => !isBad(id)),
    );
  }

  /** PARTITION:OFFSET of the acknowledged records that are not orders. */
  badPlaces(): string[] {
    return this.#batches().flatMap(({ partition, offset, ids }) =>
      ids.flatMap((id, index) => (isBad(id) ? [`${partition}:${offset + index}`] : [])),
    );
  }

  /** The first acknowledged order of a partition from a time on. */
  firstSince(partition: number, at: number): Acknowledged | undefined {
    const all = this.#acknowledged.get(partition) ?? [];
    return all[firstIndex(all, (one) => one.at >= at)];
  }

  between(partition: number, from: number, to: number): Acknowledged[] {
    const all = this.#acknowledged.get(partition) ?? [];
    return all.slice(
      firstIndex(all, ({ at }) => at >= from),
      firstIndex(all, ({ at }) => at > to),
    );
  }

  /** Stops without waiting for acknowledgements. */
  abandon(): void {
    this.#stopped = true;
    this.#abandoned = true;
  }

  /** Stops, and resolves when everything that was sent is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watching;
    await Promise.all(this.#senders.values());
  }

  #batches(): Acknowledged[] {
    return [...this.#acknowledged.values()].flat();
  }

  /** Partitions may be added. */
  async #watch(): Promise<void> {
    while (!this.#stopped) {
      for (const { partition } of this.#leaders.partitions) {
        if (this.#senders.has(partition)) continue;
        this.#acknowledged.set(partition, []);
        this.#senders.set(partition, this.#send(partition));
      }
      await sleep(PAUSE_MS);
    }
  }

  async #send(partition: number): Promise<void> {
    const connections = new Map(
      this.#cluster.nodes.map(({ id, port }) => [id, new NodeConnection(port)] as const),
    );
    const began = Date.now();
    let made = 0;
    while (!this.#stopped) {
      const share = this.#perSecond / this.#leaders.partitions.length / 1_000;
      const due = Math.min(Math.floor((Date.now() - began) * share) - made, MAX_RECORDS);
      if (due > 0) {
        const orders = Array.from({ length: due }, (_, index) => order(partition, made + index));
        made += due;
        await this.#deliver(partition, orders, connections);
      }
      await sleep(PAUSE_MS);
    }
    for (const connection of connections.values()) connection.close();
  }

  async #deliver(
    partition: number,
    orders: readonly { id: string; value: string }[],
    connections: ReadonlyMap<number, NodeConnection>,
  ): Promise<void> {
    const batch = batchOf(orders);
    while (!this.#abandoned) {
      const leader = connections.get(this.#leaders.of(partition).leader);
      try {
        if (leader !== undefined) {
          const { offset } = await produce(leader, this.#topic, partition, batch);
          const ids = orders.map(({ id }) => id);
          this.#acknowledged.get(partition)?.push({ partition, offset, ids, at: Date.now() });
          return;
        }
      } catch {
        // Refused, or lost: it may have been stored, and then the same ids are stored twice.
      }
      await sleep(RETRY_MS);
    }
  }
}

/** A record batch as a producer that is not idempotent sends it. */
export function batchOf(orders: readonly { id: string; value: string }[]): Buffer {
  return encodeBatch(
    orders.map(({ id, value }) => ({ key: Buffer.from(id), value: Buffer.from(value) })),
    { producerId: -1, producerEpoch: -1, baseSequence: -1, timestampMs: Date.now() },
  );
}

function order(partition: number, n: number): { id: string; value: string } {
  if (n % BAD === BAD - 1) return { id: `bad-${partition}-${n}`, value: `bad-${partition}-${n}` };
  const number = n % TWICE === TWICE - 1 ? n - 1 : n;
  return orderOf(`f-${partition}-${number}`, number);
}

/** The user who has not paid. */
export const UNPAID_USER = 'bob';

/** The user of an order, by the number at the end of its id; those of the API all belong to one user. */
export function userOf(id: string): string {
  const number = Number(/^f-\d+-(\d+)$/.exec(id)?.[1] ?? 1);
  return userOfNumber(number);
}

function userOfNumber(number: number): string {
  return number % UNPAID === 0 ? UNPAID_USER : 'alice';
}

/** An order for one piece of an item; every tenth is bob's. */
export function orderOf(id: string, number: number): { id: string; value: string } {
  const user = userOfNumber(number);
  const items = [{ item: ITEMS[number % ITEMS.length], quantity: 1 }];
  return { id, value: JSON.stringify({ order_id: id, user, items, created_at: 1_760_000_000_000 }) };
}

function isBad(id: string): boolean {
  return id.startsWith('bad-');
}

/** The index in a list from which a condition holds; it holds for all later elements. */
export function firstIndex<T>(list: readonly T[], holds: (one: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const one = list[middle];
    if (one !== undefined && holds(one)) high = middle;
    else low = middle + 1;
  }
  return low;
}
