import { readCheckoutOrder } from '../../../app/orders/checkout.ts';
import type { CheckoutOrder } from '../../../documents/checkout/order.ts';
import type { OrderState } from '../../../documents/http/order-state.ts';
import { checkoutDocument } from '../../../documents/write/checkout.ts';
import { decidedState, pendingCheckout, pendingState } from '../../../documents/write/http.ts';
import type { OrderReader } from '../../../app/intake/shared-reader.ts';
import type { Shop } from '../../shop.ts';

export type AnyOrderState = OrderState | CheckoutOrder;

const FINAL = new Set(['COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED']);

export function hasEnded({ status }: AnyOrderState): boolean {
  return FINAL.has(status);
}

/**
 * What is known of an order as soon as it has ended, or after `ms`, as it is then.
 *
 * @returns undefined when nobody knows it
 */
export async function stateWithin(
  shop: Shop,
  orderId: string,
  ms: number,
): Promise<AnyOrderState | undefined> {
  const limit = ms === 0 ? AbortSignal.abort() : AbortSignal.timeout(ms);
  // Before the store is read, so that nothing falls between the two.
  using wait = shop.watch.waitFor(orderId);
  for (;;) {
    const isLast = limit.aborted;
    const state = await stateOf(shop, orderId);
    if (state === undefined || hasEnded(state) || isLast) return state;
    await wait.next(limit);
  }
}

async function stateOf(shop: Shop, orderId: string): Promise<AnyOrderState | undefined> {
  await using reader = await shop.orders.read();
  const stored = await storedState(reader, orderId);
  if (stored !== undefined) return stored;
  const known = shop.intake.taken(orderId) ?? (await shop.findUnread(reader, orderId));
  if (known !== undefined)
    return known.flow === 'direct' ? pendingState(known.order) : pendingCheckout(known.order);
  // It may have been read meanwhile.
  await using later = await shop.orders.read();
  return await storedState(later, orderId);
}

async function storedState(reader: OrderReader, orderId: string): Promise<AnyOrderState | undefined> {
  const decided = await reader.decided(orderId);
  if (decided !== undefined) return decidedState(decided);
  const checkout = await readCheckoutOrder(reader, orderId);
  return checkout === undefined ? undefined : checkoutDocument(checkout);
}
