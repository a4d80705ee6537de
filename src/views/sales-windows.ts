import type { CheckoutFact, Line } from '../domain/checkout/facts.ts';
import type { Decided } from '../domain/orders/decided.ts';
import type { DecisionSums } from '../domain/orders/decision-sums.ts';
import type { StockEvent } from '../domain/stock/events.ts';
import {
  addTo,
  emptyWindow,
  measure,
  sell,
  sellSum,
  sourceOf,
  type SalesWindow,
  type Stage,
} from './sales-window.ts';

/** An order that is decided this long after the end of its window, or later, is late. */
export const GRACE_MS = 60_000;

export interface WindowOptions {
  /** Returns the window that contains a time. It may be infinite at either end. */
  readonly windowAt: (ms: number) => { readonly start: number; readonly end: number };
  /** Only count orders placed from this time on (inclusive), in milliseconds since the epoch. */
  readonly from?: number;
  /** Only count orders placed before this time (exclusive). */
  readonly until?: number;
}

/** The state of an unfinished checkout order. */
interface Unfinished {
  readonly window: SalesWindow;
  /** Time of the last step, in milliseconds since the epoch. */
  at: number;
  isPaid: boolean;
  isCancelled: boolean;
  /** Why it will be refunded, if its stock was sold to others; else null. */
  gone: string | null;
  /** The lines that it has sold. */
  sold: readonly Line[];
}

/**
 * Sales in tumbling windows by event time, the time at which an order was placed. It is a view of decisions and facts
 * in the order of their commits. An order counts once, in the window in which it was placed, however late it is
 * decided; its later steps change that window. Memory grows with the number of windows, products and unfinished
 * orders.
 */
export class SalesWindows {
  readonly #options: WindowOptions;
  readonly #windows = new Map<number, SalesWindow>();
  readonly #unfinished = new Map<string, Unfinished>();

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** The windows in which orders were placed, earliest first. */
  all(): readonly SalesWindow[] {
    return [...this.#windows.values()].sort((a, b) => a.start - b.start);
  }

  takeDecided({ order, outcome, decidedAt }: Decided): void {
    const window = this.#windowOf(order.createdAt, decidedAt);
    if (window === null) return;
    window.placed += 1;
    if (outcome.kind === 'rejected') {
      window.rejected += 1;
      addTo(window.reasons, outcome.reason);
      return;
    }
    window.completed += 1;
    const sold = sourceOf(window, 'direct');
    sold.orders += 1;
    for (const { item, quantity, unitPrice } of order.items) sell(window, sold, item, quantity, unitPrice, 1);
  }

  /** Like takeDecided for each decision in the sums, which must be by the windows of this view and GRACE_MS. */
  takeSums({ orders, sold }: DecisionSums): void {
    for (const { from, reason, count, late } of orders) {
      const window = this.#windowAt(from);
      window.placed += count;
      window.late += late;
      if (reason === null) {
        window.completed += count;
        sourceOf(window, 'direct').orders += count;
      } else {
        window.rejected += count;
        addTo(window.reasons, reason, count);
      }
    }
    for (const { from, item, ...sum } of sold) sellSum(this.#windowAt(from), item, sum);
  }

  /** Adds a stock event. A delivery by a supplier is not a sale. */
  takeStockEvent({ source, product_id, quantity, unit_price, ...event }: StockEvent): void {
    if (source === 'supplier_restocks') return;
    const window = this.#windowOf(Date.parse(event.occurred_at), Date.parse(event.at));
    if (window === null) return;
    window.placed += 1;
    if (event.status === 'rejected') {
      window.rejected += 1;
      addTo(window.reasons, event.reason ?? 'rejected');
      return;
    }
    window.completed += 1;
    const sold = sourceOf(window, source === 'store_sales' ? 'store' : 'online');
    sold.orders += 1;
    sell(window, sold, product_id, quantity, unit_price, 1);
  }

  /** Adds a fact. The facts of an order must be added in the order in which they were committed. */
  takeFact(fact: CheckoutFact): void {
    if (fact.step === 'validated' || fact.step === 'rejected') {
      this.#place(fact);
      return;
    }
    const order = this.#unfinished.get(fact.order_id);
    if (order === undefined) return;
    if (this.#advance(order, fact)) this.#unfinished.delete(fact.order_id);
  }

  #place(fact: Extract<CheckoutFact, { step: 'validated' | 'rejected' }>): void {
    const at = Date.parse(fact.at);
    const createdAt = Date.parse(fact.created_at);
    const window = this.#windowOf(createdAt, at);
    if (window === null) return;
    window.placed += 1;
    measure(window, 'validate', at - createdAt);
    if (fact.step === 'rejected') {
      window.rejected += 1;
      addTo(window.reasons, fact.reason);
      return;
    }
    window.reached.validated += 1;
    const fresh = { window, at, isPaid: false, isCancelled: false, gone: null, sold: [] };
    this.#unfinished.set(fact.order_id, fresh);
  }

  /** @returns whether no later step of the order can count */
  #advance(order: Unfinished, fact: CheckoutFact): boolean {
    const { window } = order;
    const stage = (name: Stage): void => {
      const at = Date.parse(fact.at);
      measure(window, name, at - order.at);
      order.at = at;
    };
    switch (fact.step) {
      case 'paid':
        stage('pay');
        order.isPaid = true;
        window.reached.paid += 1;
        return false;
      case 'declined':
        stage('pay');
        window.failed += 1;
        addTo(window.reasons, fact.reason);
        return true;
      case 'reserved':
        stage('reserve');
        window.reached.reserved += 1;
        window.completed += 1;
        order.sold = fact.items;
        sourceOf(window, 'checkout').orders += 1;
        sellLines(window, fact.items, 1);
        return false;
      case 'gone':
        order.gone = fact.reason;
        return false;
      case 'cancelled':
        order.isCancelled = true;
        if (order.sold.length > 0) {
          window.completed -= 1;
          sourceOf(window, 'checkout').orders -= 1;
        }
        window.cancelled += 1;
        return !order.isPaid;
      case 'refunded':
        return refund(order);
      case 'dispatched':
        stage('dispatch');
        return true;
      case 'validated':
      case 'rejected':
      case 'charge_owed':
      case 'not_charged':
      case 'refund_owed':
      case 'cancel_refused':
        return false;
    }
  }

  #windowOf(placedAt: number, decidedAt: number): SalesWindow | null {
    const { from = -Infinity, until = Infinity } = this.#options;
    if (!(placedAt >= from && placedAt < until)) return null;
    const window = this.#windowAt(placedAt);
    if (decidedAt >= window.end + GRACE_MS) window.late += 1;
    return window;
  }

  #windowAt(ms: number): SalesWindow {
    const { start, end } = this.#options.windowAt(ms);
    let window = this.#windows.get(start);
    if (window === undefined) this.#windows.set(start, (window = emptyWindow(start, end)));
    return window;
  }
}

/** Deducts a refund from revenue. An order whose stock was sold to others had no revenue. */
function refund({ window, sold, gone }: Unfinished): boolean {
  if (gone !== null) {
    window.failed += 1;
    addTo(window.reasons, gone);
  }
  const before = window.revenue;
  sellLines(window, sold, -1);
  window.refunded += before - window.revenue;
  return true;
}

function sellLines(window: SalesWindow, lines: readonly Line[], sign: 1 | -1): void {
  const sold = sourceOf(window, 'checkout');
  for (const { product_id, quantity, unit_price } of lines)
    sell(window, sold, product_id, quantity, unit_price, sign);
}
