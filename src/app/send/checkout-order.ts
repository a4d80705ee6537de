import { Failure } from '../../domain/failure.ts';
import type { Order } from '../../domain/orders/order.ts';
import { amountOf } from '../../domain/orders/price.ts';

/** An order with what the checkout asks for beside it; what is left out is filled in. */
export interface CheckoutOrder extends Order {
  readonly address?: string;
  /** A decimal string with two places. */
  readonly total?: string;
}

/** What a line of a file says beside the order. */
export function checkoutFields(value: unknown): Pick<CheckoutOrder, 'address' | 'total'> {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { shipping_address: address, total_amount } = fields;
  const total = amountOf(total_amount);
  return {
    ...(typeof address === 'string' && address !== '' ? { address } : {}),
    ...(total === null ? {} : { total }),
  };
}

/** Why the total that is given is no amount; null: it is one, or none is given. */
export function totalProblem(value: unknown): string | null {
  const { total_amount: total } = value as Record<string, unknown>;
  if (total === undefined || total === null || amountOf(total) !== null) return null;
  return `total_amount is ${JSON.stringify(total).slice(0, SHOWN)}, not an amount`;
}

/** Of what was sent, in a message. */
const SHOWN = 40;

/** What is filled in: prices by item, null where it has none, and addresses by user. */
export interface Catalogue {
  readonly prices: ReadonlyMap<string, string | null>;
  readonly addresses: ReadonlyMap<string, string>;
}

/** The first item of an order that has no price, neither here nor in the catalogue: it would be rejected. */
export function withoutPrice({ items }: Order, { prices }: Pick<Catalogue, 'prices'>): string | null {
  return items.find(({ item, unitPrice }) => unitPrice === null && prices.get(item) === null)?.item ?? null;
}

/** With what an item costs by the catalogue where a line does not say it, so that its sale counts as revenue. */
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
