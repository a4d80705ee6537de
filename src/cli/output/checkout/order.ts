import type { CheckoutOrder } from '../../../app/orders/checkout.ts';
import { isoSeconds, isoTime } from '../../../domain/iso-time.ts';
import { formatRecordId } from '../../../domain/orders/order.ts';
import { count, printable } from '../text.ts';

/** What is known of an order of the checkout: one fact per line, then its timeline. */
export function checkoutText(order: CheckoutOrder): string {
  const { customer, items, total, address, createdAt, shipment, timeline } = order;
  const facts: [string, string | null][] = [
    ['order', order.orderId],
    ['status', statusInWords(order)],
    ['user', customer],
    ...items.map(({ product_id, quantity, unit_price }, at): [string, string] => [
      at === 0 ? 'items' : '',
      `${product_id}×${quantity} at ${unit_price}`,
    ]),
    ['total', total],
    ['address', address === null ? null : printable(address.replaceAll('\n', ', '))],
    ['created', createdAt],
    ['payment', moneyInWords(order.payment)],
    ['refund', moneyInWords(order.refund)],
    ['shipment', shipmentInWords(shipment)],
  ];
  const lines = facts.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(10)}${value}\n`]));
  const widest = Math.max(0, ...timeline.map(({ step }) => step.length));
  const steps = timeline.map(({ step, at, record, detail: words }) => {
    const time = isoSeconds(Date.parse(at));
    return `  ${time}  ${step.replaceAll('_', ' ').padEnd(widest)}  ${printable(words)} (${formatRecordId(record)})\n`;
  });
  return `${lines.join('')}\ntimeline\n${steps.join('')}`;
}

function statusInWords({ status, detail }: CheckoutOrder): string {
  if (detail === null) return status;
  // Its stock ran out: PAID is its current status, but not its final one.
  return `${status}${status === 'PAID' ? ', to be refunded' : ''}: ${printable(detail)}`;
}

const WORDS = {
  owed: 'is requested next',
  trying: 'was requested, no answer yet',
  retrying: 'not done yet',
  parked: 'not done',
  paid: 'done',
  declined: 'declined',
  none: 'no money has moved',
} as const;

function moneyInWords(state: CheckoutOrder['payment']): string | null {
  if (state === null) return null;
  const { status, amount, reference, attempts, reason, nextTryAt } = state;
  const isParked = status === 'parked';
  const tries = count(attempts, 'try', 'tries');
  const more = [
    ...(reference === null ? [] : [`as ${reference}`]),
    ...(reason === null ? [] : [reason]),
    ...(isParked
      ? [`given up after ${tries}: see "orderctl dlq list --processor payment"`]
      : attempts > 1 || status === 'retrying'
        ? [`after ${tries}`]
        : []),
    ...(nextTryAt === null ? [] : [`again at ${isoTime(nextTryAt)}`]),
  ];
  return [`${amount === null ? '' : `${amount} `}${WORDS[status]}`, ...more].join(', ');
}

function shipmentInWords(shipment: CheckoutOrder['shipment']): string | null {
  if (shipment === null) return null;
  if (shipment.status !== 'dispatched') return shipment.status;
  return `dispatched by ${shipment.carrier ?? '?'}, tracking number ${shipment.trackingNumber ?? '?'}`;
}
