import { CHECKOUT, factOf, has, placedOf, quantitiesOf, type Line } from '../../domain/checkout/facts.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { ORDER_CREATED, type OrderCreated } from '../../domain/messages/checkout/order-created.ts';
import { ORDER_REJECTED } from '../../domain/messages/checkout/order-rejected.ts';
import { ORDER_VALIDATED } from '../../domain/messages/checkout/order-validated.ts';
import { isSameUser } from '../../domain/names.ts';
import { decideEach, type Draft, type Handled } from '../draft.ts';
import type { Processor, Received } from '../processor.ts';
import { refuse } from './reasons.ts';

/** Validates or rejects checkout orders, each id once. */
export function validation(): Processor<OrderCreated, Handled> {
  return {
    name: 'validation',
    sources: [ORDER_CREATED],
    emits: [ORDER_VALIDATED, ORDER_REJECTED],
    keys: (received) => {
      const orders = received.map(({ message }) => message.order_id);
      return {
        orders,
        users: received.map(({ message }) => message.customer_id),
        items: received.flatMap(({ message }) => message.items.map(({ product_id }) => product_id)),
        facts: new Map([[CHECKOUT, orders]]),
      };
    },
    decide: (received, state) => decideEach(received, state, decide),
  };
}

function decide({ message, record, traceparent }: Received<OrderCreated>, draft: Draft): Handled {
  const { order_id, customer_id, items, total_amount, shipping_address } = message;
  const { state } = draft;
  const facts = draft.facts(CHECKOUT, order_id);
  const first = placedOf(facts);
  if (first !== undefined) {
    return isSame(first, message)
      ? { kind: 'seen', about: order_id, detail: `it was ${first.step} before` }
      : { kind: 'conflict', about: order_id, detail: 'another order has this id' };
  }
  if (state.decided(order_id) !== undefined) {
    return { kind: 'conflict', about: order_id, detail: 'a direct order has this id' };
  }
  // Written out: see newEffect.
  const { topic, partition, offset } = record;
  const [at, created_at] = [isoTime(state.at), isoTime(message.created_at)];
  const validated = {
    order_id,
    customer_id,
    items,
    total_amount,
    shipping_address,
    at,
    created_at,
    topic,
    partition,
    offset,
    step: 'validated',
  } as const;
  if (has(facts, 'cancelled')) {
    const detail = factOf(facts, 'cancelled')?.detail ?? '';
    draft.append(CHECKOUT, { ...validated, step: 'rejected', reason: 'cancelled', detail });
    return { kind: 'ignored', about: order_id, detail: 'it was cancelled before' };
  }
  // Facts from messages sent before the store was restored show that the order was validated then.
  const wasValidated = has(facts, 'charge_owed', 'paid', 'reserved', 'gone');
  const refusal = wasValidated ? null : refuse(message, state);
  if (refusal === null) {
    draft.append(CHECKOUT, validated);
    const fields = { order_id, customer_id, items, total_amount, shipping_address, validated_at: state.at };
    draft.send(ORDER_VALIDATED, fields, [order_id], traceparent);
    return { kind: 'handled', about: order_id, detail: 'validated' };
  }
  draft.append(CHECKOUT, { ...validated, step: 'rejected', ...refusal });
  const rejected = { order_id, customer_id, ...refusal, rejected_at: state.at };
  draft.send(ORDER_REJECTED, rejected, [order_id], traceparent);
  return { kind: 'handled', about: order_id, detail: `rejected: ${refusal.detail}` };
}

interface Content {
  readonly customer_id: string;
  readonly items: readonly Line[];
}

/** Compares as for direct orders: by customer and total of each product, not by prices or the order of lines. */
function isSame(a: Content, b: Content): boolean {
  const [left, right] = [quantitiesOf(a.items), quantitiesOf(b.items)];
  if (!isSameUser(a.customer_id, b.customer_id) || left.size !== right.size) return false;
  return [...left].every(([item, quantity]) => right.get(item) === quantity);
}
