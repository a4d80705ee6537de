import { isFailure } from '../../domain/failure.ts';
import { ORDER_CREATED, type OrderCreated } from '../../domain/messages/checkout/order-created.ts';
import { deadLetterTopicOf, topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { Broker, BrokerAdmin } from '../../ports/broker.ts';
import type { Codec, OrderCodec } from '../../ports/codec.ts';
import type { StoreInspection } from '../../ports/health.ts';
import type { CheckoutOrders } from './checkout-orders.ts';
import { auditInFlight, type InFlight } from './in-flight.ts';
import { auditTopic, directOrders, type AuditedSource, type AuditedTopic, type Sink } from './topic.ts';

export interface TopicPorts {
  readonly broker: Broker;
  readonly codec: OrderCodec;
  readonly topic: string;
  readonly dlqTopic: string;
  /** For the orders of the checkout. */
  readonly createdCodec: Codec<OrderCreated>;
  readonly names: TopicNames;
}

/** Compares the topics with the store. @throws Failure as auditTopic */
export async function auditTopics(
  inspection: StoreInspection,
  ports: TopicPorts,
  orders: CheckoutOrders,
  sink: Sink,
): Promise<{ topic: AuditedTopic; created: AuditedTopic | null; inFlight: InFlight }> {
  await using admin = await ports.broker.admin();
  const topic = await auditDirect(inspection, admin, { ...ports, orders }, sink);
  const isCheckout = readers(inspection).has('validation');
  const placed = createdOrders(inspection, ports, orders);
  const created = isCheckout ? await auditTopic(inspection, admin, placed, sink) : null;
  const inFlight = await auditInFlight(inspection, admin, { orders, names: ports.names }, sink);
  return { topic, created, inFlight };
}

function readers(inspection: StoreInspection): ReadonlySet<string> {
  return new Set(inspection.positions().map(({ processor }) => processor));
}

/** A shop whose orders all go through the checkout may have no topic for the direct flow. */
async function auditDirect(
  inspection: StoreInspection,
  admin: BrokerAdmin,
  ports: TopicPorts & { readonly orders: CheckoutOrders },
  sink: Sink,
): Promise<AuditedTopic> {
  try {
    const direct = directOrders(inspection, ports, ports.orders, sink.report);
    return await auditTopic(inspection, admin, direct, sink);
  } catch (error) {
    const reading = readers(inspection);
    if (!isFailure(error, 'topic_missing') || reading.size === 0 || reading.has('orders')) throw error;
    return { records: 0, deciding: 0, duplicates: 0, conflicts: 0, deadLetters: 0, skipped: 0 };
  }
}

/** Several records may have the same order id: they all count as decided. */
function createdOrders(
  inspection: StoreInspection,
  { createdCodec: codec, names }: TopicPorts,
  orders: CheckoutOrders,
): AuditedSource<OrderCreated> {
  return {
    processor: 'validation',
    topic: topicOf(ORDER_CREATED, names),
    codec,
    dlqTopic: deadLetterTopicOf(ORDER_CREATED, names) ?? '',
    orderIdOf: ({ order_id }) => order_id,
    fateOf: async ({ order_id }) => {
      if (orders.placedAt(order_id) !== undefined) return 'deciding';
      return (await inspection.decided(order_id)) === undefined ? undefined : 'conflicts';
    },
  };
}
