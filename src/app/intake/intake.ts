import { CHECKOUT, placedOf } from '../../domain/checkout/facts.ts';
import { Failure } from '../../domain/failure.ts';
import { sameContent } from '../../domain/orders/order.ts';
import type { KeptView } from '../../ports/access.ts';
import type { OrderReader } from '../../ports/store.ts';
import { withoutPrice, withPrices, type Catalogue, type CheckoutOrder } from '../send/checkout-order.ts';
import type { RecordBatcher } from './batcher.ts';

/** The most received orders to remember that the store may not know yet. Older ones are looked up in the topic. */
const REMEMBERED = 100_000;

/** How an order is processed: decided at once, or validated, paid and shipped. */
export type OrderFlow = 'direct' | 'checkout';

export interface IntakePorts {
  readonly batchers: Readonly<Record<OrderFlow, RecordBatcher<CheckoutOrder>>>;
  /** A view of the store. */
  readonly view: KeptView;
  /** Prices for the checkout. */
  readonly catalogue: () => Promise<Pick<Catalogue, 'prices'>>;
}

interface TakeOptions {
  readonly flow: OrderFlow;
  readonly isNew: boolean;
  readonly traceparent: string | null;
}

export interface TakenOrder {
  readonly orderId: string;
  /** It was received before, with the same content: nothing was sent. */
  readonly isRepeat: boolean;
}

/** An order, and the flow that its id belongs to. */
export interface KnownOrder {
  readonly flow: OrderFlow;
  readonly order: CheckoutOrder;
}

/** Receives orders, many at a time: each call returns once the brokers have acknowledged its order. */
export class OrderIntake {
  readonly #ports: IntakePorts;
  /** By id, including orders that are being sent, in the order in which they arrived. */
  readonly #taken = new Map<string, KnownOrder & { readonly sent: Promise<void> }>();

  constructor(ports: IntakePorts) {
    this.#ports = ports;
  }

  /** An order that was received by this process and may not be decided yet. */
  taken(orderId: string): KnownOrder | undefined {
    return this.#taken.get(orderId);
  }

  /**
   * Sends an order, or recognizes it as one that was received or decided before.
   *
   * @param options.isNew the id was generated for this order, so it cannot be known yet
   * @param options.traceparent the header `traceparent` for its record; null: none
   * @throws Failure invalid_value: an item has no price; already_exists: an order with the id has other content or
   *   belongs to the other flow; broker_unreachable, broker_refused, registry_unreachable: it was not stored, or, if
   *   the message says so, this is unknown; sending it again under the same id is safe
   */
  async take(order: CheckoutOrder, options: TakeOptions): Promise<TakenOrder> {
    const { orderId } = order;
    const { flow, isNew } = options;
    const taken = this.#taken.get(orderId);
    if (taken !== undefined) {
      refuseOther(taken, order, flow);
      await taken.sent;
      return { orderId, isRepeat: true };
    }
    const sent = isNew ? this.#send(order, options) : this.#lookUpAndSend(order, options);
    const done = sent.then(() => undefined);
    this.#remember({ order, flow, sent: done });
    try {
      return { orderId, isRepeat: await sent };
    } catch (error) {
      // The next try must look up what happened to it.
      if (this.#taken.get(orderId)?.sent === done) this.#taken.delete(orderId);
      throw error;
    }
  }

  #remember(one: KnownOrder & { readonly sent: Promise<void> }): void {
    // The callers that wait for it receive the failure.
    one.sent.catch(() => undefined);
    this.#taken.set(one.order.orderId, one);
    const [oldest] = this.#taken.keys();
    if (this.#taken.size > REMEMBERED && oldest !== undefined) this.#taken.delete(oldest);
  }

  /** @returns whether it was decided before, with the same content */
  async #lookUpAndSend(order: CheckoutOrder, options: TakeOptions): Promise<boolean> {
    const known = await this.#ports.view.lookAtOrders((reader) => knownOrder(reader, order.orderId));
    if (known === undefined) return this.#send(order, options);
    refuseOther(known, order, options.flow);
    return true;
  }

  async #send(order: CheckoutOrder, { flow, traceparent }: TakeOptions): Promise<false> {
    const isPriced = order.items.every(({ unitPrice }) => unitPrice !== null);
    let value = order;
    if (!isPriced) {
      const catalogue = await this.#ports.catalogue();
      if (flow === 'checkout') refuseUnpriced(order, catalogue);
      else value = withPrices(order, catalogue);
    }
    await this.#ports.batchers[flow].send({ key: order.orderId, value, traceparent });
    return false;
  }
}

async function knownOrder(
  reader: Pick<OrderReader, 'decided' | 'facts'>,
  orderId: string,
): Promise<KnownOrder | undefined> {
  const decided = await reader.decided(orderId);
  if (decided !== undefined) return { flow: 'direct', order: decided.order };
  const placed = placedOf(await reader.facts(CHECKOUT, orderId));
  if (placed === undefined) return undefined;
  const items = placed.items.map(({ product_id: item, quantity, unit_price: unitPrice }) => {
    return { item, quantity, unitPrice };
  });
  const { customer_id: user, shipping_address: address, total_amount: total } = placed;
  return { flow: 'checkout', order: { orderId, user, items, createdAt: 0, address, total } };
}

/** @throws Failure invalid_value, which names the field */
function refuseUnpriced(order: CheckoutOrder, catalogue: Pick<Catalogue, 'prices'>): void {
  const item = withoutPrice(order, catalogue);
  if (item === null) return;
  const line = order.items.findIndex((one) => one.item === item && one.unitPrice === null);
  const message = `field items[${line}].unit_price is missing, and item ${item} has no price in the shop`;
  throw new Failure('invalid_value', message, { fix: { kind: 'set_price', item } });
}

function refuseOther(known: KnownOrder, order: CheckoutOrder, flow: OrderFlow): void {
  const { orderId } = order;
  const isSame =
    sameContent(known.order, order) &&
    isSameOrOpen(known.order, order, 'address') &&
    isSameOrOpen(known.order, order, 'total');
  if (known.flow === flow && isSame) return;
  const how = known.flow === flow ? 'with different content' : `in the ${known.flow} flow`;
  throw new Failure('already_exists', `order ${orderId} was already received ${how}`, {
    fix: 'use a new id for each order',
    context: { orderId },
  });
}

/** A field that is missing from one of the orders has been filled in. */
function isSameOrOpen(one: CheckoutOrder, other: CheckoutOrder, field: 'address' | 'total'): boolean {
  return one[field] === undefined || other[field] === undefined || one[field] === other[field];
}
