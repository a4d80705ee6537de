import type { CheckoutFact, Line } from '../domain/checkout/facts.ts';
import type { Decided } from '../domain/orders/decided.ts';

/** An order that is decided later than this after its window has ended is late. */
const GRACE_MS = 60_000;

/** The parts of the checkout whose length is measured, each from the end of the one before it. */
const STAGES = ['validate', 'pay', 'reserve', 'dispatch'] as const;
export type Stage = (typeof STAGES)[number];

/** Sums are exact: money in hundredths. */
export interface ProductSales {
  quantity: number;
  revenue: bigint;
}

/** Orders placed in one window, with all that has become of them since. */
export interface SalesWindow {
  /** Inclusive, milliseconds since the epoch. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  placed: number;
  /** How far the orders of the checkout came, whatever became of them then. */
  readonly reached: { validated: number; paid: number; reserved: number };
  /** Of the direct flow accepted, of the checkout completed and not cancelled since. */
  completed: number;
  rejected: number;
  failed: number;
  cancelled: number;
  /** Of completed orders in hundredths, less what was refunded of them. Lines that name no price add nothing. */
  revenue: bigint;
  refunded: bigint;
  /** Lines sold that name no price. */
  unpriced: number;
  /** Orders that were decided more than a minute after the window had ended. */
  late: number;
  /** Of rejections and failures. */
  readonly reasons: Map<string, number>;
  readonly stages: Record<Stage, { count: number; ms: number }>;
  /** What completed orders sold, by product. */
  readonly products: Map<string, ProductSales>;
}

export interface WindowOptions {
  /** The window that a time is in; one that is open for all times before or after makes one window of them. */
  readonly windowAt: (ms: number) => { readonly start: number; readonly end: number };
  /** Orders placed before are left out; inclusive, milliseconds since the epoch. */
  readonly from?: number;
  /** Exclusive. */
  readonly until?: number;
}

/** What must be known of an order of the checkout until it has ended. */
interface Unfinished {
  readonly window: SalesWindow;
  /** Of the last step, milliseconds since the epoch. */
  at: number;
  isPaid: boolean;
  isCancelled: boolean;
  /** Why its money goes back, once that is so. */
  gone: string | null;
  /** What it has sold. */
  sold: readonly Line[];
}

/**
 * Sales in tumbling windows by event time, the time at which an order was placed: a view over decisions and facts as
 * they were committed. An order counts once, in the window in which it was placed, however late it is decided, and what
 * becomes of it later changes that window. Its size follows windows, products, and orders that have not ended.
 */
export class SalesWindows {
  readonly #options: WindowOptions;
  readonly #windows = new Map<number, SalesWindow>();
  readonly #unfinished = new Map<string, Unfinished>();

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** Those in which an order was placed, the earliest first. */
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
    for (const { item, quantity, unitPrice } of order.items) sell(window, item, quantity, unitPrice, 1);
  }

  /** In the order in which the facts of an order were committed. */
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

  /** @returns whether nothing more can come of the order that counts */
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
        sellLines(window, fact.items, 1);
        return false;
      case 'gone':
        order.gone = fact.reason;
        return false;
      case 'cancelled':
        order.isCancelled = true;
        if (order.sold.length > 0) window.completed -= 1;
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
    const { from = -Infinity, until = Infinity, windowAt } = this.#options;
    if (!(placedAt >= from && placedAt < until)) return null;
    const { start, end } = windowAt(placedAt);
    let window = this.#windows.get(start);
    if (window === undefined) this.#windows.set(start, (window = emptyWindow(start, end)));
    if (decidedAt >= end + GRACE_MS) window.late += 1;
    return window;
  }
}

export function emptyWindow(start: number, end: number): SalesWindow {
  const stage = () => ({ count: 0, ms: 0 });
  return {
    ...{ start, end, placed: 0, reached: { validated: 0, paid: 0, reserved: 0 } },
    ...{ completed: 0, rejected: 0, failed: 0, cancelled: 0 },
    ...{ revenue: 0n, refunded: 0n, unpriced: 0, late: 0 },
    ...{ reasons: new Map(), products: new Map() },
    stages: { validate: stage(), pay: stage(), reserve: stage(), dispatch: stage() },
  };
}

/** One window of several: it begins with the first and ends with the last of them. */
export function sumOf(windows: readonly SalesWindow[]): SalesWindow {
  const sum = emptyWindow(windows[0]?.start ?? 0, windows.at(-1)?.end ?? 0);
  for (const window of windows) {
    for (const key of ['placed', 'completed', 'rejected', 'failed', 'cancelled', 'unpriced', 'late'] as const)
      sum[key] += window[key];
    for (const key of ['validated', 'paid', 'reserved'] as const) sum.reached[key] += window.reached[key];
    sum.revenue += window.revenue;
    sum.refunded += window.refunded;
    for (const [reason, count] of window.reasons) addTo(sum.reasons, reason, count);
    for (const name of STAGES) {
      sum.stages[name].count += window.stages[name].count;
      sum.stages[name].ms += window.stages[name].ms;
    }
    for (const [product, { quantity, revenue }] of window.products) {
      const all = productOf(sum, product);
      all.quantity += quantity;
      all.revenue += revenue;
    }
  }
  return sum;
}

/** Money that goes back for an order that had sold; of one whose stock was gone there was no revenue. */
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
  for (const { product_id, quantity, unit_price } of lines)
    sell(window, product_id, quantity, unit_price, sign);
}

function sell(
  window: SalesWindow,
  product: string,
  quantity: number,
  price: string | null,
  sign: 1 | -1,
): void {
  const sales = productOf(window, product);
  sales.quantity += sign * quantity;
  if (price === null) {
    window.unpriced += sign;
    return;
  }
  const revenue = BigInt(sign) * worth(quantity, price);
  sales.revenue += revenue;
  window.revenue += revenue;
}

/** In hundredths. */
function worth(quantity: number, price: string): bigint {
  const each = price.replace('.', '');
  const product = quantity * Number(each);
  return Number.isSafeInteger(product) ? BigInt(product) : BigInt(quantity) * BigInt(each);
}

function productOf(window: SalesWindow, product: string): ProductSales {
  let sales = window.products.get(product);
  if (sales === undefined) window.products.set(product, (sales = { quantity: 0, revenue: 0n }));
  return sales;
}

function measure(window: SalesWindow, stage: Stage, ms: number): void {
  window.stages[stage].count += 1;
  // Clocks of several machines may disagree.
  window.stages[stage].ms += Math.max(0, ms);
}

function addTo(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
