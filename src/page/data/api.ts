import type { ExperimentBegun, ExperimentList } from '../../documents/http/experiment.ts';
import type { AlertPage } from '../../documents/http/alerts.ts';
import type { DeadLetterPage } from '../../documents/http/dead-letters.ts';
import type { CheckoutOrder } from '../../documents/checkout/order.ts';
import type { ShownDeadLetter } from '../../documents/dead-letter.ts';
import type { NotificationPage, OrderRecords } from '../../documents/http/messages.ts';
import type { ProcessorList } from '../../documents/http/processors.ts';
import type { OrderList, OrderState } from '../../documents/http/order-state.ts';
import type { ItemChanges } from '../../documents/http/item-changes.ts';
import type { Problem } from '../../documents/http/problem.ts';
import type { HourlySales } from '../../documents/reports/analytics.ts';
import type { ItemEdit, ItemList, UserList } from '../../documents/table.ts';
import { askForToken, authorization } from './token.ts';

/** The content of an answer, or its problem. */
export type Answer<T> =
  | { readonly ok: true; readonly status: number; readonly body: T }
  | { readonly ok: false; readonly status: number; readonly detail: string; readonly fix: string | null };

/** An order of either flow. */
export type AnyOrder = OrderState | CheckoutOrder;

export const getInventory = () => call<ItemList>('GET', '/inventory');
export const getUsers = () => call<UserList>('GET', '/users');
export const getOrders = (limit: number, cursor: string | null) =>
  call<OrderList>('GET', `/orders?limit=${limit}${cursorIn(cursor)}`);
export const getOrder = (id: string) => call<AnyOrder>('GET', `/orders/${encodeURIComponent(id)}`);
export const getDeadLetters = (state: string, cursor: string | null) =>
  call<DeadLetterPage>('GET', `/dead-letters?limit=25&state=${state}${cursorIn(cursor)}`);
export const getDeadLetter = (id: string) =>
  call<ShownDeadLetter>('GET', `/dead-letters/${encodeURIComponent(id)}`);
/** @param value replaces the value of the dead letter; null: unchanged */
export const redrive = (id: string, value: unknown) =>
  call<unknown>('POST', `/dead-letters/${encodeURIComponent(id)}/redrive`, value === null ? {} : { value });
export const getAlerts = (cursor: string | null) =>
  call<AlertPage>('GET', `/alerts?limit=10${cursorIn(cursor)}`);
export const getProcessors = () => call<ProcessorList>('GET', '/processors');
export const getNotifications = () => call<NotificationPage>('GET', '/notifications?limit=10');
export const getRecords = (id: string) =>
  call<OrderRecords>('GET', `/orders/${encodeURIComponent(id)}/records`);
export const getHours = () => call<HourlySales>('GET', '/analytics/hourly?hours=24');
export const getExperiments = () => call<ExperimentList>('GET', '/experiments');
export const beginExperiment = (kind: string, seed: number | null) =>
  call<ExperimentBegun>('POST', '/experiments', { kind, ...(seed === null ? {} : { seed }) });
export const placeOrder = (flow: 'direct' | 'checkout', order: object) =>
  call<AnyOrder | { readonly order_id: string; readonly status: 'PENDING' }>(
    'POST',
    `${flow === 'direct' ? '/order' : '/orders'}?wait=5s`,
    order,
  );
export const cancelOrder = (id: string) =>
  call<unknown>('POST', `/orders/${encodeURIComponent(id)}/cancel?wait=5s`, {});
export const getItemChanges = (item: string, cursor: string | null) =>
  call<ItemChanges>('GET', `/inventory/${encodeURIComponent(item)}/changes?limit=8${cursorIn(cursor)}`);
export const adjustStock = (item: string, by: number, why: string) =>
  call<ItemEdit>('PATCH', `/inventory/${encodeURIComponent(item)}`, { by, ...(why === '' ? {} : { why }) });

function cursorIn(cursor: string | null): string {
  return cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
}

async function call<T>(method: string, path: string, body?: object): Promise<Answer<T>> {
  try {
    const response = await fetch(path, {
      method,
      headers: {
        ...authorization(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { status } = response;
    if (status === 401) askForToken();
    const json: unknown = await response.json();
    if (response.ok) return { ok: true, status, body: json as T };
    const { detail, fix } = json as Problem;
    return { ok: false, status, detail, fix };
  } catch {
    return { ok: false, status: 0, detail: 'the server does not answer', fix: null };
  }
}
