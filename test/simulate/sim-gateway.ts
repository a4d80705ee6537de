import type { Gateway, PaymentAnswer } from '../../src/ports/outside/gateway.ts';

/** What happens on the way of a request: before it arrives, and before its answer is back. */
export type GatewayCall = (what: string) => Promise<void>;

/**
 * A gateway that moves money once for a key, as long as it knows the key; what it moved it finds for ever. It survives
 * every crash of the store. A request that is under way for as long as that never arrives: of one that did, docs/reliability.md
 * says what it may do.
 */
export class SimGateway {
  /** By order: how often its money was moved. */
  moved = new Map<string, number>();
  /** Those that it moves no money for again. */
  #keys = new Set<string>();
  #timesForgotten = 0;
  #found = new Set<string>();

  constructor(from?: SimGateway) {
    if (from === undefined) return;
    this.moved = new Map(from.moved);
    this.#keys = new Set(from.#keys);
    this.#found = new Set(from.#found);
  }

  /** The time is over for which it knows keys. */
  forgetKeys(): void {
    this.#keys.clear();
    this.#timesForgotten += 1;
  }

  /** The store is an older copy from now on, which knows of these alone. */
  knowOnly(orders: readonly string[]): void {
    for (const known of [this.moved, this.#keys, this.#found]) known.clear();
    for (const order of orders) this.moved.set(order, 1);
  }

  /** As one process reaches it. @param loses which of its requests for money have their answers lost */
  reachedBy(onCall: GatewayCall, loses: ReadonlySet<number>): Gateway {
    let asked = 0;
    const move: Gateway['refund'] = async ({ key, orderId }) => {
      const isLost = loses.has(++asked);
      const askedAt = this.#timesForgotten;
      await onCall(`ask for ${key}`);
      if (askedAt !== this.#timesForgotten) return { kind: 'fault', message: 'timed out', isUnknown: true };
      if (!this.#keys.has(key)) this.moved.set(orderId, (this.moved.get(orderId) ?? 0) + 1);
      this.#keys.add(key);
      this.#found.add(key);
      await onCall(`answer ${key}`);
      return isLost ? { kind: 'fault', message: 'connection reset', isUnknown: true } : paid(key);
    };
    return {
      atOnce: 16,
      charge: move,
      refund: move,
      lookUp: async (key) => {
        const found = this.#found.has(key) ? paid(key) : null;
        await onCall(`look ${key} up`);
        return found;
      },
    };
  }
}

function paid(reference: string): PaymentAnswer {
  return { kind: 'paid', reference };
}
