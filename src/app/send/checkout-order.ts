import { Failure } from '../../domain/failure.ts';
import type { Order } from '../../domain/orders/order.ts';
import { amountOf } from '../../domain/orders/price.ts';

/** An order with the extra fields of the checkout; missing ones are filled in. */
export interface CheckoutOrder extends Order {
  readonly address?: string;
  /** A decimal string with two decimal places. */
  readonly total?: string;
}

/** Reads the extra fields of the checkout from a line of a file. */
export function checkoutFields(value: unknown): Pick<CheckoutOrder, 'address' | 'total'> {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { shipping_address: address, total_amount } = fields;
  const total = amountOf(total_amount);
  return {
    ...(typeof address === 'string' && address !== '' ? { address } : {}),
    ...(total === null ? {} : { total }),
  };
}

/** Why the given total is not an amount; null: it is one, or is not given. */
export function totalProblem(value: unknown): string | null {
  const { total_amount: total } = value as Record<string, unknown>;
  if (total === undefined || total === null || amountOf(total) !== null) return null;
  return `total_amount is ${JSON.stringify(total).slice(0, SHOWN)}, not an amount`;
}

/** How many characters of an input value are shown in a message. */
const SHOWN = 40;

/** The data to fill in: prices by item, null for an item without a price, and addresses by user. */
export interface Catalogue {
  readonly prices: ReadonlyMap<string, string | null>;
  readonly addresses: ReadonlyMap<string, string>;
}

/** The first item of an order that has no price in the order or the catalogue: such an order would be rejected. */
export function withoutPrice({ items }: Order, { prices }: Pick<Catalogue, 'prices'>): string | null {
  return items.find(({ item, unitPrice }) => unitPrice === null && prices.get(item) === null)?.item ?? null;
}

/** Adds prices from the catalogue to lines that have none, so that their sales count as revenue. */
export function withPrices<O extends Order>(order: O, { prices }: Pick<Catalogue, 'prices'>): O {
  if (order.items.every(({ unitPrice }) => unitPrice !== null)) return order;
  const items = order.items.map((line) => {
    return { ...line, unitPrice: line.unitPrice ?? prices.get(line.item) ?? null };
  });
  return { ...order, items };
}

/** @throws Failure not_found: an item has no price */
export function checkPrices(order: Order, catalogue: Pick<Catalogue, 'prices'>): void {
  const item = withoutPrice(order, catalogue);
  if (item !== null) {
    throw new Failure('not_found', `item ${item} has no price`, { fix: { kind: 'set_price', item } });
  }
}
