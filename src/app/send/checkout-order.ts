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
