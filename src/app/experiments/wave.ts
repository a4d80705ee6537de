import type { Order } from '../../domain/orders/order.ts';
import type { Stage } from './stage.ts';

const CHECK_EVERY_MS = 100;
/** Concurrent requests, as from a few browsers. */
const CLIENTS = 4;

/** The orders of an experiment, from the first request until all have ended. */
export class Wave {
  readonly #stage: Stage;
  readonly #id: string;
  readonly #random: () => number;
  readonly #until: AbortSignal;
  readonly #ids: string[] = [];
  /** Orders whose first request has been sent. */
  readonly #placed = new Set<string>();
  #ended: ReadonlyMap<string, string> = new Map();

  /** @param until ends the wait */
  constructor(stage: Stage, id: string, random: () => number, until: AbortSignal) {
    this.#until = until;
    this.#stage = stage;
    this.#id = id;
    this.#random = random;
  }

  get until(): AbortSignal {
    return this.#until;
  }

  get size(): number {
    return this.#ids.length;
  }

  /** Makes orders with ids of this wave: the same for a seed, except for the ids. */
  async orders(count: number): Promise<Order[]> {
    const source = await this.#stage.orders(this.#random);
    const made: Order[] = [];
    while (made.length < count) {
      const next = source.next();
      if (next.done === true) break;
      made.push(this.name(next.value));
    }
    return made;
  }

  /** Gives an order an id of this wave, and expects it to end. */
  name(order: Order): Order {
    const orderId = `EXP-${this.#id}-${this.#ids.length + 1}`;
    this.#ids.push(orderId);
    return { ...order, orderId };
  }

  /** Places orders over HTTP, spread over `overMs`. @param checkoutShare the share that goes through the checkout */
  async place(orders: readonly Order[], overMs: number, checkoutShare = 0.2): Promise<void> {
    const from = this.#stage.now();
    const waiting = orders.map((order, at) => {
      return {
        order,
        at: (overMs * (at + this.#random())) / orders.length,
        flow: this.#random() < checkoutShare ? ('checkout' as const) : ('direct' as const),
      };
    });
    const client = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await this.#stage.sleep(Math.max(0, next.at - (this.#stage.now() - from)));
        this.#placed.add(next.order.orderId);
        await this.#stage.place(next.order, next.flow, this.#until);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  /** The number of placed orders that have not ended yet. */
  async inFlight(): Promise<number> {
    const placed = [...this.#placed];
    await this.#look();
    return placed.filter((id) => !this.#ended.has(id)).length;
  }

  /** Waits for all orders to end. @returns how many have ended */
  async end(): Promise<number> {
    await until(this.#stage, this.#until, async () => {
      await this.#look();
      return this.#ended.size === this.#ids.length;
    });
    return this.#ended.size;
  }

  /** The number of orders that ended with this status. */
  endedAs(status: string): number {
    return [...this.#ended.values()].filter((one) => one === status).length;
  }

  async #look(): Promise<void> {
    const missing = this.#ids.filter((id) => !this.#ended.has(id));
    this.#ended = new Map([...this.#ended, ...(await this.#stage.ended(missing))]);
  }
}

/** Waits until a condition is true, or the limit aborts. */
export async function until(stage: Stage, limit: AbortSignal, isTrue: () => Promise<boolean>): Promise<void> {
  while (!limit.aborted && !(await isTrue())) await stage.sleep(CHECK_EVERY_MS);
}
