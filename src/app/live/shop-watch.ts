import { CHECKOUT } from '../../domain/checkout/facts.ts';
import { isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HistoryLine } from '../../ports/store.ts';
import { checkoutFactOf } from '../orders/checkout.ts';

const RETRY_MS = 500;

export interface ShopEvents {
  readonly onLines: (lines: readonly HistoryLine[]) => Promise<void>;
  /** Some lines were missed: the store could not be read, or was replaced by another one. */
  readonly onGap: () => void;
}

/** Waits for events of an order, from its creation until its disposal. */
export interface OrderWait extends Disposable {
  /** Resolves when an event has occurred since the previous call, or the creation; or when the signal aborts. */
  next(signal: AbortSignal): Promise<void>;
}

/** Follows the events in a store, for callers that wait for an order and for live views. */
export class ShopWatch {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Runs until the signal aborts. @param access the store may not exist yet */
  async follow(access: StoreAccess, clock: Clock, signal: AbortSignal, on: ShopEvents): Promise<void> {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      try {
        const reader = await access.read();
        const added = reader.follow([CHECKOUT], signal);
        await reader[Symbol.asyncDispose]();
        if (!isFirst) this.#missed(on);
        for await (const lines of added) {
          for (const line of lines) this.#wake(orderOf(line));
          await on.onLines(lines);
        }
      } catch (error) {
        if (!isFailure(error)) throw error;
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  #missed({ onGap }: ShopEvents): void {
    for (const orderId of [...this.#waiting.keys()]) this.#wake(orderId);
    onGap();
  }

  #wake(orderId: string | undefined): void {
    if (orderId === undefined) return;
    for (const wake of this.#waiting.get(orderId) ?? []) wake();
  }

  waitFor(orderId: string): OrderWait {
    let hasHappened = false;
    let wake = (): void => undefined;
    const happen = (): void => {
      hasHappened = true;
      wake();
    };
    const waiting = this.#waiting.get(orderId) ?? new Set();
    this.#waiting.set(orderId, waiting.add(happen));
    return {
      next: async (signal) => {
        if (!hasHappened && !signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
        }
        hasHappened = false;
      },
      [Symbol.dispose]: () => {
        waiting.delete(happen);
        if (waiting.size === 0 && this.#waiting.get(orderId) === waiting) this.#waiting.delete(orderId);
      },
    };
  }
}

function orderOf(line: HistoryLine): string | undefined {
  return line.kind === 'decision' ? line.decided.order.orderId : checkoutFactOf(line)?.order_id;
}
