import type { ReadAgain } from '../../../app/dlq/read-again.ts';
import type { ShownDeadLetter } from '../../../documents/dead-letter.ts';
import type { Order } from '../../../domain/orders/order.ts';
import { printable } from '../text.ts';

/** The outcome if this dead letter were consumed now; null: not known. */
export function nowDocument(now: ReadAgain | null): ShownDeadLetter['now'] {
  if (now === null) return null;
  return now.kind === 'message'
    ? { readable: true, order_id: orderIdOf(now), error_code: null, error_message: null }
    : { readable: false, order_id: null, error_code: now.code, error_message: printable(now.message) };
}

export function failsAgain({ code, message }: Extract<ReadAgain, { kind: 'dead_letter' }>): string {
  return `it would fail again: ${code}, ${printable(message)}`;
}

type ReadMessage = Extract<ReadAgain, { kind: 'message' }>;

/** An order of the direct flow; unlike other messages, it does not use the Avro field names. */
export function orderOf({ value }: ReadMessage): Order | null {
  return typeof value === 'object' && value !== null && 'orderId' in value ? (value as Order) : null;
}

/** The id of the order that a message is about; null: none. */
export function orderIdOf(message: ReadMessage): string | null {
  const { order_id: id } = message.value as { readonly order_id?: unknown };
  return orderOf(message)?.orderId ?? (typeof id === 'string' ? id : null);
}
