import { Failure } from '../../domain/failure.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Codec } from '../../ports/codec.ts';
import type { StoreReader } from '../../ports/store.ts';

/** So many records are looked at to find one: a consumer that is farther behind is to catch up first. */
const LOOKED_AT = 200_000;

export interface UnreadIn<T> {
  readonly broker: Broker;
  readonly codec: Pick<Codec<T>, 'decode'>;
  readonly topic: string;
  /** Whose position says what is unread. */
  readonly processor: ProcessorName;
  readonly idOf: (value: T) => string;
}

/**
 * Finds an order among the records that its processor has not read yet.
 *
 * @returns undefined when none of them has that id
 * @throws Failure those of the broker; broker_unreachable when there are too many to look at
 */
export async function findUnread<T>(
  { broker, codec, topic, processor, idOf }: UnreadIn<T>,
  reader: Pick<StoreReader, 'positions'>,
  orderId: string,
): Promise<T | undefined> {
  await using admin = await broker.admin();
  if ((await admin.partitionCount(topic)) === undefined) return undefined;
  const next = new Map(
    (await reader.positions())
      .filter((position) => position.processor === processor && position.topic === topic)
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
    for (const one of decoded) if (one.kind === 'message' && idOf(one.value) === orderId) return one.value;
  }
  return undefined;
}
