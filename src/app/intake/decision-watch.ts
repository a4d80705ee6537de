import type { Decided } from '../../domain/orders/decided.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import { decisionsOf } from '../orders/decision-order.ts';

const RETRY_MS = 500;

/** Follows what is decided, for those who wait for an order. */
export class DecisionWatch {
  readonly #waiting = new Map<string, Set<(decided: Decided) => void>>();

  /** Runs until the signal aborts. @param access of a store that may not be there yet */
  async follow(
    access: StoreAccess,
    clock: Clock,
    signal: AbortSignal,
    onDecided: (decided: readonly Decided[]) => void,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        const reader = await access.read();
        const added = reader.follow([], signal);
        await reader[Symbol.asyncDispose]();
        for await (const chunk of decisionsOf(added)) {
          for (const decided of chunk) this.#tell(decided);
          onDecided(chunk);
        }
      } catch (error) {
        if (!isFailure(error)) throw error;
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  #tell(decided: Decided): void {
    const { orderId } = decided.order;
    for (const resolve of this.#waiting.get(orderId) ?? []) resolve(decided);
    this.#waiting.delete(orderId);
  }

  /** @returns undefined when the signal aborts first */
  decisionOf(orderId: string, signal: AbortSignal): Promise<Decided | undefined> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(orderId) ?? new Set();
      this.#waiting.set(orderId, waiting.add(resolve));
      const stop = (): void => {
        waiting.delete(resolve);
        if (waiting.size === 0 && this.#waiting.get(orderId) === waiting) this.#waiting.delete(orderId);
        resolve(undefined);
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }
}
