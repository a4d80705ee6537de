import { createHash } from 'node:crypto';
import { RecordBatcher, type BatcherPorts } from '../../app/intake/batcher.ts';
import { CatalogueCache } from '../../app/intake/catalogue.ts';
import { OrderIntake, type KnownOrder, type OrderFlow } from '../../app/intake/intake.ts';
import { keptView } from '../../app/intake/shared-reader.ts';
import { UnreadOrders } from '../../app/intake/unread.ts';
import { scopeOfProcessor } from '../../app/dlq/scope.ts';
import { KafkaWatch } from '../../app/overview/kafka-watch.ts';
import { ShopWatch } from '../../app/live/shop-watch.ts';
import { OverviewWatch } from '../../app/overview/overview.ts';
import {
  ofTheDirectFlow,
  submitRequest,
  type RequestOptions,
  type RequestPorts,
} from '../../app/orders/request.ts';
import { checkoutCodec, readCatalogue } from '../../app/send/checkout.ts';
import type { CheckoutOrder } from '../../app/send/checkout-order.ts';
import { openProducer } from '../../app/send/open-producer.ts';
import { openIds, openStore, systemClock } from '../../compose.ts';
import { overviewDocument } from '../../documents/write/overview.ts';
import { CHECKOUT } from '../../domain/checkout/facts.ts';
import { Failure } from '../../domain/failure.ts';
import { ORDER_CREATED, type OrderCreated } from '../../domain/messages/checkout/order-created.ts';
import type { Message } from '../../domain/messages/message.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import { topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Codec, OrderCodec } from '../../ports/codec.ts';
import type { KeptView } from '../../ports/access.ts';
import type { Shop } from '../../http/shop.ts';
import { openForRun } from '../kafka/open.ts';
import { parentOf } from './parent.ts';
import { printNotice } from '../output/store-notices.ts';
import type { Session } from '../session.ts';
import { viewsOf } from './views.ts';

export type OpenShop = Awaited<ReturnType<typeof openShop>>;

/** Assembles what the server needs from the settings; does not connect to anything yet. */
export async function openShop(session: Session, create: boolean, signal: AbortSignal) {
  const { printer, settings } = session;
  const { users, topics: names } = settings;
  const access = await openStore(settings);
  const view = await keptView(access);
  const { broker, codecOf } = await openForRun(session, { register: true });
  const newId = await openIds();
  const { LiveFeed } = await import('../../http/live.ts');
  const on = ({ topic }: { topic: string }): void => printer.info(`topic ${topic} created`);
  const producerOf = (message: Message, topic: string) => async () => {
    const producer = await openProducer(broker, { topic, message, create, on, signal });
    if (producer === undefined) throw new Failure('broker_unreachable', 'the server is stopping');
    return producer;
  };
  const orderCodec = (await codecOf(ORDER)) as OrderCodec;
  const createdCodec = (await codecOf(ORDER_CREATED)) as Codec<OrderCreated>;
  const catalogue = new CatalogueCache(() => readCatalogue(access, view), systemClock);
  const batcherOf = (message: Message, codec: BatcherPorts<CheckoutOrder>['codec']) => {
    const topic = topicOf(message, names);
    return new RecordBatcher({
      codec,
      message,
      topic,
      clock: systemClock,
      openProducer: producerOf(message, topic),
    });
  };
  const batchers: Readonly<Record<OrderFlow, RecordBatcher<CheckoutOrder>>> = {
    direct: batcherOf(ORDER, orderCodec),
    checkout: batcherOf(ORDER_CREATED, {
      encode: async (orders) => (await checkoutCodec(await catalogue.get(), codecOf)).encode(orders),
    }),
  };
  const unread = unreadOf(names, { broker, view, orderCodec, createdCodec });
  const intake = new OrderIntake({ batchers, view, catalogue: () => catalogue.get() });
  const dlqTopics = scopeOfProcessor('all', { group: settings.group, names }).topics;
  const kafka = new KafkaWatch(broker, dlqTopics, systemClock);
  const feed = new LiveFeed();
  const { experiments, parts } = parentOf((experiment) => feed.publish('experiment', experiment));
  const overview = new OverviewWatch({ access, view, kafka, parts, clock: systemClock });
  const shop: Shop = {
    access,
    users,
    lowStock: Number(settings.lowStock),
    watch: new ShopWatch(),
    views: viewsOf(session, { access, broker, codecOf, view }, signal),
    experiments,
    live: {
      feed,
      overview: () => (overview.latest === null ? null : overviewDocument(overview.latest, access.name)),
    },
    intake,
    view,
    now: () => systemClock.now(),
    newOrderId: () => `ORD-${newId()}`,
    orderIdOf: (key) => `ORD-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`,
    findUnread: unread.find,
    cancel: cancelOf(
      { access, kafka: () => Promise.resolve({ broker, codecOf }), clock: systemClock },
      { names, create, signal, on, view, known: (id) => intake.taken(id), findUnread: unread.find },
    ),
    checkBroker: async () => {
      await using admin = await broker.admin();
      await admin.clusterId();
    },
    onNotice: (notice) => printNotice(printer, notice),
    onEdit: () => catalogue.forget(),
  };
  return { shop, batchers, unread, overview, broker, codecOf, catalogue };
}

type CancelOptions = Pick<RequestOptions, 'names' | 'create' | 'signal' | 'on'> & {
  readonly view: KeptView;
  /** Returns an order that this server accepted. */
  readonly known: (orderId: string) => KnownOrder | undefined;
  readonly findUnread: Shop['findUnread'];
};

/** Also cancels an order that was accepted by the API but not read yet. */
function cancelOf(
  ports: RequestPorts,
  { view, known, findUnread, ...options }: CancelOptions,
): Shop['cancel'] {
  return async (orderId, reason, waitMs, traceparent) => {
    const facts = await view.lookAtOrders((reader) => reader.facts(CHECKOUT, orderId));
    const unread = facts.length > 0 ? undefined : (known(orderId) ?? (await findUnread(orderId)));
    if (unread?.flow === 'direct') throw ofTheDirectFlow(orderId);
    return await submitRequest(ports, {
      ...options,
      orderId,
      waitMs,
      traceparent,
      request: { kind: 'cancel', reason },
      isUnknown: unread?.flow === 'checkout',
    });
  };
}

/** Finds unread orders of both flows. */
function unreadOf(
  names: TopicNames,
  ports: { broker: Broker; view: KeptView; orderCodec: OrderCodec; createdCodec: Codec<OrderCreated> },
): AsyncDisposable & { readonly find: Shop['findUnread'] } {
  const { broker, view, orderCodec, createdCodec } = ports;
  const direct = new UnreadOrders({
    broker,
    view,
    codec: orderCodec,
    topic: topicOf(ORDER, names),
    processor: 'orders' as const,
    idOf: (order) => order.orderId,
  });
  const created = new UnreadOrders<OrderCreated>({
    broker,
    view,
    codec: createdCodec,
    topic: topicOf(ORDER_CREATED, names),
    processor: 'validation' as const,
    idOf: (order) => order.order_id,
  });
  return {
    async find(orderId) {
      const [order, placed] = await Promise.all([direct.find(orderId), created.find(orderId)]);
      if (order !== undefined) return { flow: 'direct', order };
      return placed === undefined ? undefined : { flow: 'checkout', order: orderOfCreated(placed) };
    },
    async [Symbol.asyncDispose]() {
      await direct[Symbol.asyncDispose]();
      await created[Symbol.asyncDispose]();
    },
  };
}

function orderOfCreated({ order_id, customer_id, items, created_at }: OrderCreated): Order {
  return {
    orderId: order_id,
    user: customer_id,
    createdAt: created_at,
    items: items.map(({ product_id: item, quantity, unit_price: unitPrice }) => {
      return { item, quantity, unitPrice };
    }),
  };
}
