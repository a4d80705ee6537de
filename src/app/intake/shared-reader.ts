import type { KeptView, StoreAccess } from '../../ports/access.ts';
import type { OrderReader, RowReader } from '../../ports/store.ts';

type Reader = OrderReader & RowReader;

interface Shared {
  readonly view: Promise<Reader & AsyncDisposable>;
  users: number;
}

/** A view of a store that many callers share. */
export async function keptView(access: StoreAccess): Promise<KeptView> {
  return (await access.keepView()) ?? new SharedReader(() => access.read());
}

/**
 * Views of a store for many concurrent callers. Each caller gets a view whose opening started after its call; callers
 * that arrive meanwhile share the next view. Opening a view costs more than looking up an order.
 */
export class SharedReader implements KeptView {
  readonly #open: () => Promise<Reader & AsyncDisposable>;
  /** The view that will be opened next; null: no caller waits for it. */
  #next: Shared | null = null;
  #opening: Promise<unknown> = Promise.resolve();

  constructor(open: () => Promise<Reader & AsyncDisposable>) {
    this.#open = open;
  }

  lookAtOrders<R>(use: (view: OrderReader) => Promise<R>): Promise<R> {
    return this.#look(use);
  }

  lookAtRows<R>(use: (view: RowReader) => Promise<R>): Promise<R> {
    return this.#look(use);
  }

  async lookAtBooks(): Promise<null> {
    return null;
  }

  async #look<R>(use: (view: Reader) => Promise<R>): Promise<R> {
    const shared = (this.#next ??= this.#begin());
    shared.users += 1;
    const view = await shared.view;
    try {
      return await use(view);
    } finally {
      shared.users -= 1;
      if (shared.users === 0) await view[Symbol.asyncDispose]();
    }
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
