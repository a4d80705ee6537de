import { isoTime } from '../../domain/iso-time.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { Order } from '../order.ts';

/** An entry of `order show` and `order list`, keys in the order of the contract. */
export function orderDocument({ order, record, outcome, decidedAt }: Decided): Order {
  const isRejected = outcome.kind === 'rejected';
  return {
    order_id: order.orderId,
    status: outcome.kind,
    reason: isRejected ? outcome.reason : null,
    detail: isRejected ? outcome.detail : null,
    user: order.user,
    // Nobody else is accepted.
    user_status: isRejected ? outcome.userStatus : 'paid',
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
