import { readCheckoutOrder } from '../../../app/orders/checkout.ts';
import type { CheckoutOrder } from '../../../documents/checkout/order.ts';
import type { OrderState } from '../../../documents/http/order-state.ts';
import { checkoutDocument } from '../../../documents/write/checkout.ts';
import { decidedState, pendingCheckout, pendingState } from '../../../documents/write/http.ts';
import type { OrderReader } from '../../../ports/store.ts';
import type { Shop } from '../../shop.ts';

export type AnyOrderState = OrderState | CheckoutOrder;

/** Created once, since creating an aborted signal captures the stack. */
const AT_ONCE = AbortSignal.abort();
const FINAL = new Set(['COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED']);

export function hasEnded({ status }: AnyOrderState): boolean {
  return FINAL.has(status);
}

/**
 * The state of an order, as soon as it is final or after at most `ms`.
 *
 * @returns undefined if the order is not known
 */
export async function stateWithin(
  shop: Shop,
  orderId: string,
  ms: number,
): Promise<AnyOrderState | undefined> {
  const limit = ms === 0 ? AT_ONCE : AbortSignal.timeout(ms);
  // Subscribe before the store is read, so that no change is missed in between.
  using wait = shop.watch.waitFor(orderId);
  for (;;) {
    const isLast = limit.aborted;
    const state = await stateOf(shop, orderId);
    if (state === undefined || hasEnded(state) || isLast) return state;
    await wait.next(limit);
  }
}

async function stateOf(
  { view, intake, findUnread }: Shop,
  orderId: string,
): Promise<AnyOrderState | undefined> {
  const look = () => view.lookAtOrders((reader) => storedState(reader, orderId));
  const stored = await look();
  if (stored !== undefined) return stored;
  const known = intake.taken(orderId) ?? (await findUnread(orderId));
  if (known !== undefined)
    return known.flow === 'direct' ? pendingState(known.order) : pendingCheckout(known.order);
  // A processor may have read it meanwhile.
  return await look();
}

async function storedState(reader: OrderReader, orderId: string): Promise<AnyOrderState | undefined> {
  const decided = await reader.decided(orderId);
  if (decided !== undefined) return decidedState(decided);
  const checkout = await readCheckoutOrder(reader, orderId);
  return checkout === undefined ? undefined : checkoutDocument(checkout);
}
