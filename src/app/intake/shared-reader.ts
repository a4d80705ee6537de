import type { StoreReader } from '../../ports/store.ts';

/** What is asked of a store to know one order. */
export type OrderReader = Pick<StoreReader, 'decided' | 'facts' | 'effects' | 'positions'>;

interface Shared {
  readonly view: Promise<OrderReader & AsyncDisposable>;
  users: number;
}

/**
 * Views of a store for many who ask at the same time: each has one whose opening began after it asked, and those who wait
 * meanwhile share the next. To open one costs more than to look up an order.
 */
export class SharedReader {
  readonly #open: () => Promise<OrderReader & AsyncDisposable>;
  /** The one that is opened next; null: nobody waits for it. */
  #next: Shared | null = null;
  #opening: Promise<unknown> = Promise.resolve();

  constructor(open: () => Promise<OrderReader & AsyncDisposable>) {
    this.#open = open;
  }

  /** @throws those of `open` */
  async read(): Promise<OrderReader & AsyncDisposable> {
    const shared = (this.#next ??= this.#begin());
    shared.users += 1;
    const view = await shared.view;
    return {
      decided: (orderId) => view.decided(orderId),
      facts: (log, key) => view.facts(log, key),
      effects: (ids) => view.effects(ids),
      positions: () => view.positions(),
      [Symbol.asyncDispose]: async () => {
        shared.users -= 1;
        if (shared.users === 0) await view[Symbol.asyncDispose]();
      },
    };
  }

  #begin(): Shared {
    const view = this.#opening.then(() => {
      this.#next = null;
      return this.#open();
    });
    this.#opening = view.catch(() => undefined);
    return { view, users: 0 };
  }
}
