/** The stages of the checkout whose duration is measured, each from the end of the previous one. */
const STAGES = ['validate', 'pay', 'reserve', 'dispatch'] as const;
export type Stage = (typeof STAGES)[number];

/** Sales of a product. Sums are exact: revenue is in hundredths. */
export interface ProductSales {
  quantity: number;
  revenue: bigint;
}

/** Where a sale was made: in the two flows of orders, or by events of online shops and stores. */
export type SalesSource = 'direct' | 'checkout' | 'online' | 'store';

/** Sales of one source. */
export interface SourceSales {
  /** Orders that were completed and not cancelled since. */
  orders: number;
  readonly products: Map<string, ProductSales>;
}

/** Orders placed in one window, with their outcomes so far. */
export interface SalesWindow {
  /** Inclusive, milliseconds since the epoch. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  placed: number;
  /** Checkout orders that reached each step, whatever their outcome. */
  readonly reached: { validated: number; paid: number; reserved: number };
  /** Accepted direct orders, and checkout orders that were completed and not cancelled since. */
  completed: number;
  rejected: number;
  failed: number;
  cancelled: number;
  /** Revenue of completed orders minus their refunds, in hundredths. Lines without a price do not count. */
  revenue: bigint;
  refunded: bigint;
  /** Sold lines without a price. */
  unpriced: number;
  /** Orders decided more than a minute after the end of the window. */
  late: number;
  /** Reasons of rejections and failures, with counts. */
  readonly reasons: Map<string, number>;
  readonly stages: Record<Stage, { count: number; ms: number }>;
  /** Sales of completed orders, by product. */
  readonly products: Map<string, ProductSales>;
  /** The same sales, by source. */
  readonly sources: Map<SalesSource, SourceSales>;
}

export function emptyWindow(start: number, end: number): SalesWindow {
  const stage = () => ({ count: 0, ms: 0 });
  return {
    start,
    end,
    placed: 0,
    reached: { validated: 0, paid: 0, reserved: 0 },
    completed: 0,
    rejected: 0,
    failed: 0,
    cancelled: 0,
    revenue: 0n,
    refunded: 0n,
    unpriced: 0,
    late: 0,
    reasons: new Map(),
    products: new Map(),
    sources: new Map(),
    stages: { validate: stage(), pay: stage(), reserve: stage(), dispatch: stage() },
  };
}

/** The sum of several windows: it starts with the first and ends with the last. */
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
    addSales(sum.products, window.products);
    for (const [source, { orders, products }] of window.sources) {
      const all = sourceOf(sum, source);
      all.orders += orders;
      addSales(all.products, products);
    }
  }
  return sum;
}

function addSales(to: Map<string, ProductSales>, products: ReadonlyMap<string, ProductSales>): void {
  for (const [product, { quantity, revenue }] of products) {
    const all = productOf(to, product);
    all.quantity += quantity;
    all.revenue += revenue;
  }
}

export function sourceOf({ sources }: SalesWindow, source: SalesSource): SourceSales {
  let sales = sources.get(source);
  if (sales === undefined) sources.set(source, (sales = { orders: 0, products: new Map() }));
  return sales;
}

export function sell(
  window: SalesWindow,
  source: SourceSales,
  product: string,
  quantity: number,
  price: string | null,
  sign: 1 | -1,
): void {
  const sales = productOf(window.products, product);
  const ofSource = productOf(source.products, product);
  sales.quantity += sign * quantity;
  ofSource.quantity += sign * quantity;
  if (price === null) {
    window.unpriced += sign;
    return;
  }
  const revenue = BigInt(sign) * worth(quantity, price);
  sales.revenue += revenue;
  ofSource.revenue += revenue;
  window.revenue += revenue;
}

/** Adds a total of direct orders for a product. */
export function sellSum(
  window: SalesWindow,
  product: string,
  { quantity, revenue, unpriced }: ProductSales & { readonly unpriced: number },
): void {
  for (const products of [window.products, sourceOf(window, 'direct').products]) {
    const sales = productOf(products, product);
    sales.quantity += quantity;
    sales.revenue += revenue;
  }
  window.revenue += revenue;
  window.unpriced += unpriced;
}

/** Quantity times price, in hundredths. */
function worth(quantity: number, price: string): bigint {
  const each = price.replace('.', '');
  const product = quantity * Number(each);
  return Number.isSafeInteger(product) ? BigInt(product) : BigInt(quantity) * BigInt(each);
}

function productOf(products: Map<string, ProductSales>, product: string): ProductSales {
  let sales = products.get(product);
  if (sales === undefined) products.set(product, (sales = { quantity: 0, revenue: 0n }));
  return sales;
}

export function measure(window: SalesWindow, stage: Stage, ms: number): void {
  window.stages[stage].count += 1;
  // The difference is negative if the clocks of two machines disagree.
  window.stages[stage].ms += Math.max(0, ms);
}

export function addTo(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
