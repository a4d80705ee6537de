import { isoTime } from '../../domain/iso-time.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import { userOf } from '../../domain/orders/order.ts';
import type { Order } from '../order.ts';

/** An entry of `order show` and `order list`, with its keys in the order of the contract. */
export function orderDocument({ order, record, outcome, decidedAt }: Decided): Order {
  const isRejected = outcome.kind === 'rejected';
  const user = userOf(order);
  return {
    order_id: order.orderId,
    status: outcome.kind,
    reason: isRejected ? outcome.reason : null,
    detail: isRejected ? outcome.detail : null,
    user,
    // Only orders of paid users, and orders without a user, are accepted.
    user_status: isRejected ? outcome.userStatus : user === null ? null : 'paid',
    items: order.items.map(({ item, quantity }, at) => ({
      item,
      quantity,
      stock: outcome.stock[at] ?? null,
    })),
    created_at: isoTime(order.createdAt),
    decided_at: isoTime(decidedAt),
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
  };
}
