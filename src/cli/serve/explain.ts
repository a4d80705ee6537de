import { readCheckoutOrder } from '../../app/orders/checkout.ts';
import { explainKnown } from '../../app/orders/explain.ts';
import { pendingCheckout } from '../../documents/write/http.ts';
import type { Views } from '../../http/shop.ts';
import type { KeptView } from '../../ports/access.ts';
import { checkoutOrder } from '../../views/checkout-order.ts';
import { explainDocument } from '../output/order.ts';
import { checkoutExplanation } from '../output/orders/explain.ts';
import type { Session } from '../session.ts';

/** What `order explain` prints. */
export function explainIn({ printer }: Session, view: KeptView): Views['explain'] {
  const rephrase = (step: string): string => printer.rephrased(step);
  return async (orderId, unread) => {
    const direct = await explainKnown(view, orderId, unread?.flow === 'direct' ? unread.order : null);
    if (direct !== undefined) return explainDocument(direct, rephrase);
    const checkout = await view.lookAtOrders((reader) => readCheckoutOrder(reader, orderId));
    if (checkout !== undefined) return checkoutExplanation(checkout, rephrase);
    if (unread === undefined) return undefined;
    const pending = checkoutExplanation(checkoutOrder(orderId, [], {}), rephrase);
    return { ...pending, ...pendingCheckout(unread.order) };
  };
}
