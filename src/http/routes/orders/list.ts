import { ALL_ORDERS } from '../../../app/orders/filter.ts';
import { isCheckout } from '../../../app/orders/listed-order.ts';
import { isOrdersMark, ordersPage } from '../../../app/orders/page.ts';
import type { OrderList } from '../../../documents/http/order-state.ts';
import { checkoutDocument } from '../../../documents/write/checkout.ts';
import { decidedState } from '../../../documents/write/http.ts';
import type { OrderStatus } from '../../../domain/checkout/status.ts';
import type { Shop } from '../../shop.ts';
import { cursorOf, limitOf, markOf, timesOf, type PageQuery } from '../pages.ts';

export interface ListQuery extends PageQuery {
  readonly status?: OrderStatus;
  readonly user?: string;
  readonly item?: string;
}

/** @param signal aborts when the client disconnects @throws Failure invalid_value */
export async function listPage(
  { view }: Pick<Shop, 'view'>,
  query: ListQuery,
  signal: AbortSignal,
): Promise<OrderList> {
  const { status = null, user = null, item = null } = query;
  const { orders, next } = await ordersPage(view, {
    filter: { ...ALL_ORDERS, status, user, item, ...timesOf(query) },
    limit: limitOf(query),
    mark: markOf(query, isOrdersMark),
    signal,
  });
  return {
    orders: orders.map((order) => (isCheckout(order) ? checkoutDocument(order) : decidedState(order))),
    next: next === null ? null : cursorOf(next),
  };
}
