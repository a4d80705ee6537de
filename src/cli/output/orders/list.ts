import { decidedMs, isCheckout, orderIdOf, type ListedOrder } from '../../../app/orders/listed-order.ts';
import { checkoutDocument } from '../../../documents/write/checkout.ts';
import { orderDocument } from '../../../documents/write/order.ts';
import { isoSeconds, isoTime } from '../../../domain/iso-time.ts';
import { quantitiesOf } from '../../../domain/checkout/facts.ts';
import { formatRecordId } from '../../../domain/orders/order.ts';
import { decidedLine } from '../consume/decision.ts';
import type { Column } from '../table.ts';
import { grouped, printable } from '../text.ts';

export const ORDER_COLUMNS: readonly Column<ListedOrder>[] = [
  { title: 'DECIDED', cell: (order) => isoTime(decidedMs(order)) },
  { title: 'ORDER', isWhole: true, cell: orderIdOf },
  { title: 'STATUS', cell: statusIn },
  { title: 'USER', cell: userIn },
  { title: 'ITEMS', cell: itemsIn },
  { title: 'REASON', cell: (order) => reasonIn(order) ?? '' },
  { title: 'RECORD', cell: recordIn },
];

/** Without what `order show` adds: the outcome is the reason for a rejection, or that the order was accepted. */
export const NARROW_ORDER_COLUMNS: readonly Column<ListedOrder>[] = [
  { title: 'DECIDED', isWhole: true, cell: (order) => isoSeconds(decidedMs(order)) },
  { title: 'ORDER', keepsEnds: true, cell: orderIdOf },
  { title: 'USER', cell: userIn },
  { title: 'ITEMS', cell: itemsIn },
  { title: 'OUTCOME', isWhole: true, cell: (order) => reasonIn(order) ?? statusIn(order) },
];

/** As `order show` prints it. */
export function listedDocument(order: ListedOrder): object {
  return isCheckout(order) ? checkoutDocument(order) : orderDocument(order);
}

/** A row of a table with both flows: fields of one flow are empty for the other. */
export function listedRow(order: ListedOrder): object {
  return isCheckout(order) ? checkoutDocument(order) : { ...orderDocument(order), flow: 'direct' };
}

export const ORDER_CSV_COLUMNS = [
  'order_id',
  'status',
  'reason',
  'detail',
  'user',
  'user_status',
  'items',
  'created_at',
  'decided_at',
  'topic',
  'partition',
  'offset',
  'flow',
  'total_amount',
  'payment_status',
  'refund_status',
  'shipment_status',
];

/** `2026-11-21T10:00:00Z COMPLETED O-4 alice book×4 (orders.created/3@17)`, or a decision likewise. */
export function listedLine(order: ListedOrder): string {
  if (!isCheckout(order)) return decidedLine(order);
  const { orderId, status, detail } = order;
  const what = `${isoSeconds(decidedMs(order))} ${status} ${orderId} ${userIn(order)} ${itemsIn(order)}`;
  return `${what}${detail === null ? '' : `: ${printable(detail)}`} (${recordIn(order)})`;
}

function statusIn(order: ListedOrder): string {
  return isCheckout(order) ? order.status : order.outcome.kind;
}

function userIn(order: ListedOrder): string {
  return isCheckout(order) ? (order.customer ?? '') : order.order.user;
}

/** More cannot be read in a row, and measuring them would take minutes for the largest orders. */
const MOST_LINES = 100;

function itemsIn(order: ListedOrder): string {
  const lines = isCheckout(order)
    ? [...quantitiesOf(order.items)]
    : order.order.items.map(({ item, quantity }) => [item, quantity] as const);
  const shown = lines.slice(0, MOST_LINES).map(([item, quantity]) => `${item}×${quantity}`);
  if (lines.length > MOST_LINES) shown.push(`and ${grouped(lines.length - MOST_LINES)} more`);
  return shown.join(', ');
}

function reasonIn(order: ListedOrder): string | null {
  if (isCheckout(order)) return order.reason === null ? null : printable(order.reason);
  return order.outcome.kind === 'rejected' ? order.outcome.reason : null;
}

function recordIn(order: ListedOrder): string {
  const { record } = order;
  return record === null ? '' : formatRecordId(record);
}
