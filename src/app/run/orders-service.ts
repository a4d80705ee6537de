import { Failure } from '../../domain/failure.ts';
import type { Decision } from '../../domain/orders/decided.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Store } from '../../ports/store.ts';
import type { Processor } from '../../processors/processor.ts';
import type { BatchEvent, OrdersEvent, Service } from './events.ts';
import { OrderTally } from './status/tally.ts';

export interface OrdersServiceOptions {
  readonly processor: Processor<Order, Decision>;
  readonly group: string;
  readonly users: 'required' | 'optional';
  /** Continue without users or items; every order is then rejected. */
  readonly allowEmpty: boolean;
  readonly on: (event: OrdersEvent) => void;
}

/** The processor `orders`, with the events that only it has. */
export class OrdersService implements Service<Order, Decision> {
  readonly processor: Processor<Order, Decision>;
  readonly group: string;
  readonly tally = new OrderTally();
  readonly #options: OrdersServiceOptions;

  constructor(options: OrdersServiceOptions) {
    this.processor = options.processor;
    this.group = options.group;
    this.#options = options;
  }

  onBatch(event: BatchEvent<Order, Decision>): void {
    this.#reportIgnored(event);
    this.#options.on({ kind: 'batch', ...event });
  }

  /** @throws Failure not_found: the store does not exist, so there are no users or items */
  async checkIsThere(access: Pick<StoreAccess, 'name' | 'isThere'>): Promise<void> {
    // Checked before the store is owned, so that a mistyped name does not create a folder.
    if (!this.#options.allowEmpty && !(await access.isThere())) throw nothingToDecideOn('users', access.name);
  }

  /** @throws Failure not_found: there are no users or no items */
  async check(store: Store, name: string): Promise<void> {
    const { users, allowEmpty, on } = this.#options;
    for (const table of ['users', 'items'] as const) {
      if (table === 'users' && users === 'optional') continue;
      const [first] = await store[table]();
      if (first !== undefined) continue;
      if (!allowEmpty) throw nothingToDecideOn(table, name);
      on({ kind: 'empty_table', table, store: name });
    }
  }

  #reportIgnored({ decoded, results }: BatchEvent<Order, Decision>): void {
    decoded.forEach((entry, index) => {
      if (entry.kind !== 'message' || entry.ignored === undefined) return;
      const result = results[index];
      if (result === undefined) return;
      const record = result.kind === 'decided' ? result.decided.record : result.record;
      this.tally.addIgnoredPrices(entry.ignored.count);
      const { orderId } = entry.value;
      this.#options.on({ kind: 'prices_ignored', record, orderId, ignored: entry.ignored });
    });
  }
}

/** Decisions are final: orders must not be rejected because the store is the wrong one, or has no data yet. */
function nothingToDecideOn(table: 'users' | 'items', store: string): Failure {
  return new Failure(
    'not_found',
    `there are no ${table} in ${store}: every order would be rejected, and a decision is final`,
    { fix: { kind: 'fill_or_reject', table } },
  );
}
