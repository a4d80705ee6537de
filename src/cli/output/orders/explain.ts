import type { CheckoutOrder } from '../../../app/orders/checkout.ts';
import type { CheckoutExplanation } from '../../../documents/checkout/order.ts';
import { checkoutDocument } from '../../../documents/write/checkout.ts';
import type { CheckoutStep } from '../../../domain/checkout/facts.ts';
import { isoSeconds, isoTime } from '../../../domain/iso-time.ts';
import { formatRecordId } from '../../../domain/orders/order.ts';
import type { MoneyState } from '../../../views/checkout-order.ts';
import { checkoutText } from '../checkout/order.ts';
import { printable } from '../text.ts';

/** What happened at each step; the detail follows. */
const STEPS: Readonly<Record<CheckoutStep, string>> = {
  validated: 'it was validated',
  rejected: 'it was rejected',
  charge_owed: 'its charge was scheduled',
  not_charged: 'its charge was dropped',
  paid: 'the gateway accepted the payment',
  declined: 'the gateway declined the payment',
  reserved: 'its stock was reserved',
  gone: 'its stock had been sold to others',
  refund_owed: 'its refund was scheduled',
  refunded: 'the gateway refunded the payment',
  dispatched: 'it was dispatched',
  cancelled: 'it was cancelled',
  cancel_refused: 'a cancellation request was refused',
};

/** @param rephrase as Printer.rephrased */
export function checkoutExplanation(
  order: CheckoutOrder,
  rephrase: (text: string) => string,
): CheckoutExplanation {
  return {
    ...checkoutDocument(order),
    explanation: explanationOf(order),
    records: recordsOf(order),
    scanned: false,
    retry_of: null,
    retries: [],
    next: nextSteps(order).map(rephrase),
  };
}

export function checkoutExplainText(order: CheckoutOrder, rephrase: (text: string) => string): string {
  const next = nextSteps(order).map((step) => `  - ${rephrase(step)}`);
  return `${checkoutText(order)}\n${explanationOf(order)}\n\nnext\n${next.join('\n')}\n`;
}

function explanationOf({ orderId, status, timeline }: CheckoutOrder): string {
  const steps = timeline.map(({ step, at, record, detail }) => {
    const time = isoSeconds(Date.parse(at));
    return `At ${time} ${STEPS[step]}: ${printable(detail)} (on ${formatRecordId(record)}).`;
  });
  return [`Order ${orderId} of the checkout is ${status}.`, ...steps].join(' ');
}

/** The distinct records behind the timeline, each with its steps. */
function recordsOf({ timeline }: CheckoutOrder): CheckoutExplanation['records'] {
  const records = new Map<string, CheckoutExplanation['records'][number]>();
  for (const { step, record } of timeline) {
    const id = formatRecordId(record);
    const steps = [...(records.get(id)?.steps ?? []), step];
    records.set(id, { ...record, timestamp: null, role: 'deciding', replay_id: null, steps });
  }
  return [...records.values()];
}

/** What the order waits for, and what can be done about it. */
function nextSteps(order: CheckoutOrder): string[] {
  const { orderId, status, payment, refund, shipment } = order;
  const cancel = `"orderctl order cancel ${orderId}" cancels it`;
  const money = refund ?? payment;
  const waiting = money === null ? null : waitingFor(money, refund === null ? 'charge' : 'refund');
  switch (status) {
    case 'PENDING':
      return ['"orderctl run validation" validates it once it arrives'];
    case 'VALIDATED':
      return [waiting ?? '"orderctl run payment" charges it when it reads that it was validated', cancel];
    case 'PAID':
      if (waiting !== null) return [waiting];
      return isGone(order)
        ? ['"orderctl run payment" refunds it when it reads that the stock had been sold']
        : ['"orderctl run inventory" reserves its stock when it reads that it is paid', cancel];
    case 'COMPLETED':
      if (shipment?.status === 'dispatched') return ['nothing: it has been dispatched'];
      return [
        `"orderctl order dispatch ${orderId}" sends it, where "orderctl run warehouse" does not`,
        cancel,
      ];
    case 'REJECTED':
    case 'FAILED':
    case 'CANCELLED':
      return [
        waiting ?? `nothing: ${status} is final; to buy the same goods, place another order with a new id`,
      ];
  }
}

function isGone({ timeline }: CheckoutOrder): boolean {
  return timeline.some(({ step }) => step === 'gone');
}

/** @returns null if there is nothing left to wait for */
function waitingFor({ status, nextTryAt }: MoneyState, what: 'charge' | 'refund'): string | null {
  switch (status) {
    case 'owed':
    case 'trying':
      return `"orderctl run payment" asks the gateway for the ${what}`;
    case 'retrying':
      return `"orderctl run payment" asks for the ${what} again${nextTryAt === null ? '' : ` at ${isoTime(nextTryAt)}`}`;
    case 'parked':
      return (
        `"orderctl dlq list --processor payment" shows why the ${what} failed, and ` +
        '"orderctl dlq redrive ID --execute" tries it once more; if the dead letter was discarded, read its ' +
        'record again: "orderctl offsets reset --processor payment"'
      );
    case 'paid':
    case 'declined':
    case 'none':
      return null;
  }
}
