import { hundredths } from '../../domain/orders/money.ts';

/** What is sold: a line of an order of either flow. */
export interface SoldLine {
  readonly item: string;
  readonly quantity: number;
  /** null: the order names none, and its line earns nothing. */
  readonly unitPrice: string | null;
}

/** Stock and revenue under some circumstances, followed through history. */
export class Stock {
  readonly #onHand = new Map<string, number>();
  readonly #prices: ReadonlyMap<string, string>;
  /** In hundredths, less what was refunded. */
  revenue = 0n;
  /** Units that were sold without any price. */
  unpriced = 0;
  /** When each item was sold down to nothing for the first time. */
  readonly ranOutAt = new Map<string, number>();

  /** @param prices of items whose own price and that of orders does not count */
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

  /** An item that was removed has nowhere to put it. */
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
