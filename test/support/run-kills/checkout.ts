import { ORDER_CANCEL } from '../../../src/domain/messages/checkout/order-cancel.ts';
import { ORDER_CREATED } from '../../../src/domain/messages/checkout/order-created.ts';
import { SHIPMENT_CREATED } from '../../../src/domain/messages/checkout/shipment-created.ts';
import { fill, openShop } from '../cli.ts';
import { createTopic, sendRaw } from '../topics.ts';
import { startCluster } from './cluster.ts';
import { expectCheckoutEven, openGatewayOfTest } from './checkout-oracle.ts';
import { killOften } from './kill-often.ts';

export const ORDERS_A_LIFE = 15;
export const PUT_IN = 5;
/** Sells out now and then: some orders are rejected, some paid and refunded. */
export const SCARCE = 'pen';
export const STOCK = { book: 100_000, [SCARCE]: 10 };
/** For users with these names, the gateway declines, fails, forgets keys or loses answers. */
export const CUSTOMERS = ['alice', 'alice', 'alice', 'decline-bob', 'error-carol', 'lose-dan', 'forget-eve'];

/**
 * All services but `orders` under kill -9, with a gateway that does not always answer, and cancellation requests at any
 * time: every order has one outcome, each step is announced once, and money and stock balance.
 */
export async function killCheckout(kills: number, random: () => number): Promise<void> {
  const cluster = await startCluster();
  const gateway = await openGatewayOfTest();
  const shop = openShop({
    ORDERCTL_BROKERS: cluster.brokers,
    ORDERCTL_REGISTRY: cluster.registry,
    ORDERCTL_EVENTS: 'true',
    // A kill during an attempt counts as an attempt: no order must be parked because of kills.
    ORDERCTL_GATEWAY: gateway.url,
    ORDERCTL_GATEWAY_RETRIES: Array(60).fill('1s').join(),
    ORDERCTL_DISPATCH_DELAY: '2s',
  });
  fill(shop, Object.fromEntries(CUSTOMERS.map((name) => [name, 'paid'])), STOCK);
  await createTopic(ORDER_CREATED.name, 3, cluster.brokers);
  await createTopic(ORDER_CANCEL.name, 3, cluster.brokers);
  await createTopic(SHIPMENT_CREATED.name, 3, cluster.brokers);
  const sent: string[] = [];
  let putIn = 0;
  const oneOf = <T>(some: readonly T[]): T => some[Math.floor(random() * some.length)] as T;
  const order = (): Parameters<typeof sendRaw>[1][number] => {
    const id = `c-${sent.length}`;
    sent.push(id);
    return { key: id, value: JSON.stringify(orderCreated(id, oneOf(CUSTOMERS), random)) };
  };
  const cancel = (id: string): Parameters<typeof sendRaw>[1][number] => {
    return {
      key: id,
      value: JSON.stringify({ order_id: id, reason: null, requested_at: 1_760_000_000_000 }),
    };
  };
  await killOften({
    shop,
    cluster,
    command: `run ${SERVICES}`,
    kills,
    random,
    feed: async () => {
      const orders = Array.from({ length: ORDERS_A_LIFE }, order);
      // Before they arrive, while they are processed, and after.
      await sendRaw(ORDER_CANCEL.name, [cancel(sent.at(-1) ?? ''), cancel(oneOf(sent))], cluster.brokers);
      await sendRaw(ORDER_CREATED.name, orders, cluster.brokers);
      await sendRaw(ORDER_CANCEL.name, [cancel(sent.at(-2) ?? ''), cancel(oneOf(sent))], cluster.brokers);
    },
    beside: async () => {
      await shop.ok(`inventory update --item ${SCARCE} --by +${PUT_IN}`);
      putIn += PUT_IN;
    },
  });
  await shop.ok(`run ${SERVICES} --until-end`, { timeoutMs: 300_000 });
  await expectCheckoutEven({
    shop,
    gateway,
    brokers: cluster.brokers,
    sent,
    stock: { ...STOCK, [SCARCE]: STOCK.pen + putIn },
  });
}

/** The checkout's settings, as arguments of `run`. */
export const SERVICES = 'validation payment inventory warehouse notification delivery';

export function orderCreated(id: string, customer_id: string, random: () => number): object {
  const quantity = 1 + Math.floor(random() * 2);
  return {
    order_id: id,
    customer_id,
    total_amount: (2.5 * quantity).toFixed(2),
    items: [{ product_id: random() < 0.3 ? SCARCE : 'book', quantity, unit_price: '2.50' }],
    shipping_address: 'Main Street 1',
    created_at: 1_760_000_000_000,
  };
}
