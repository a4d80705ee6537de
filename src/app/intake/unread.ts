import { Failure } from '../../domain/failure.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { Broker } from '../../ports/broker.ts';
import type { OrderCodec } from '../../ports/codec.ts';
import type { StoreReader } from '../../ports/store.ts';

/** So many records are looked at to find one: a consumer that is farther behind is to catch up first. */
const LOOKED_AT = 200_000;

/**
 * Finds an order among the records that `orders` has not read yet.
 *
 * @returns undefined when none of them has that id
 * @throws Failure those of the broker; broker_unreachable when there are too many to look at
 */
export async function findUnread(
  { broker, codec, topic }: { broker: Broker; codec: OrderCodec; topic: string },
  reader: Pick<StoreReader, 'positions'>,
  orderId: string,
): Promise<Order | undefined> {
  await using admin = await broker.admin();
  if ((await admin.partitionCount(topic)) === undefined) return undefined;
  const next = new Map(
    (await reader.positions())
      .filter((position) => position.processor === 'orders' && position.topic === topic)
      .map((position) => [position.partition, position.next]),
  );
  const ranges = (await admin.ranges(topic))
    .map(({ partition, start, end }) => ({
      partition,
      from: Math.max(start, next.get(partition) ?? 0),
      to: end,
    }))
    .filter(({ from, to }) => to > from);
  const unread = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  if (unread > LOOKED_AT) {
    throw new Failure('broker_unreachable', `${unread} orders wait for the consumer: ${orderId} may be one`, {
      fix: 'ask again when it has caught up',
      context: { orderId, topic },
    });
  }
  for await (const { records } of admin.records(topic, ranges)) {
    const decoded = await codec.decode(records);
    for (const one of decoded) if (one.kind === 'message' && one.value.orderId === orderId) return one.value;
  }
  return undefined;
}
