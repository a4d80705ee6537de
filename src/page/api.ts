import type { OrderList, OrderState } from '../documents/http/order-state.ts';
import type { Problem } from '../documents/http/problem.ts';
import type { Item } from '../documents/table.ts';

/** What an answer said, or what was wrong with it. */
export type Answer<T> =
  | { readonly ok: true; readonly status: number; readonly body: T }
  | { readonly ok: false; readonly status: number; readonly detail: string; readonly fix: string | null };

type ItemDocument = Item;
interface Items {
  readonly items: readonly ItemDocument[];
}

/** @returns null: nobody answers */
export async function getInventory(): Promise<readonly ItemDocument[] | null> {
  const answer = await call<Items>('GET', '/inventory');
  return answer.ok ? answer.body.items : null;
}

export async function getOrders(limit: number): Promise<readonly OrderState[] | null> {
  const answer = await call<OrderList>('GET', `/orders?limit=${limit}`);
  // Those of the checkout have a look of their own.
  return answer.ok ? answer.body.orders.filter((order): order is OrderState => !('flow' in order)) : null;
}

export function placeOrder(
  order: object,
): Promise<Answer<OrderState | { readonly order_id: string; readonly status: 'PENDING' }>> {
  return call('POST', '/order?wait=5s', order);
}

export function adjustStock(item: string, by: number, why: string): Promise<Answer<unknown>> {
  return call('PATCH', `/inventory/${encodeURIComponent(item)}`, { by, ...(why === '' ? {} : { why }) });
}

async function call<T>(method: string, path: string, body?: object): Promise<Answer<T>> {
  try {
    const response = await fetch(path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const { status } = response;
    const json: unknown = await response.json();
    if (response.ok) return { ok: true, status, body: json as T };
    const { detail, fix } = json as Problem;
    return { ok: false, status, detail, fix };
  } catch {
    return { ok: false, status: 0, detail: 'the server does not answer', fix: null };
  }
}
