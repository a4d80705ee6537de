import { hundredths } from '../../domain/orders/money.ts';

/** A line of a sold order, of either flow. */
export interface SoldLine {
  readonly item: string;
  readonly quantity: number;
  /** null: the order has no price, and this line earns nothing. */
  readonly unitPrice: string | null;
}

/** Follows stock and revenue through history, under some circumstances. */
export class Stock {
  readonly #onHand = new Map<string, number>();
  readonly #prices: ReadonlyMap<string, string>;
  /** In hundredths, less refunds. */
  revenue = 0n;
  /** Units sold without a price. */
  unpriced = 0;
  /** When the stock of each item first dropped to zero. */
  readonly ranOutAt = new Map<string, number>();

  /** @param prices replace the prices of these items in orders */
  constructor(prices: ReadonlyMap<string, string> = new Map()) {
    this.#prices = prices;
  }

  readonly quantity = (item: string): number | undefined => this.#onHand.get(item);

  items(): Iterable<string> {
    return this.#onHand.keys();
  }

  put(item: string, quantity: number): void {
    this.#onHand.set(item, quantity);
  }

  remove(item: string): void {
    this.#onHand.delete(item);
  }

  /** Ignores an item that was removed. */
  add(item: string, units: number): void {
    const quantity = this.#onHand.get(item);
    if (quantity !== undefined) this.#onHand.set(item, quantity + units);
  }

  hasAll(quantities: ReadonlyMap<string, number>): boolean {
    return [...quantities].every(([item, quantity]) => quantity <= (this.quantity(item) ?? -1));
  }

  sell(lines: readonly SoldLine[], at: number): void {
    for (const { item, quantity } of lines) this.add(item, -quantity);
    for (const { item } of lines) {
      if (this.quantity(item) === 0 && !this.ranOutAt.has(item)) this.ranOutAt.set(item, at);
    }
    this.#earn(lines, 1);
  }

  takeBack(lines: readonly SoldLine[]): void {
    for (const { item, quantity } of lines) this.add(item, quantity);
    this.#earn(lines, -1);
  }

  #earn(lines: readonly SoldLine[], sign: 1 | -1): void {
    for (const { item, quantity, unitPrice } of lines) {
      const price = this.#prices.get(item) ?? unitPrice;
      if (price === null) this.unpriced += sign * quantity;
      else this.revenue += BigInt(sign * quantity) * hundredths(price);
    }
  }
}
