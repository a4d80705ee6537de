import { CHECKOUT, placedOf } from '../../domain/checkout/facts.ts';
import { Failure } from '../../domain/failure.ts';
import { sameContent } from '../../domain/orders/order.ts';
import type { KeptView } from '../../ports/access.ts';
import type { OrderReader } from '../../ports/store.ts';
import { withoutPrice, withPrices, type Catalogue, type CheckoutOrder } from '../send/checkout-order.ts';
import type { RecordBatcher } from './batcher.ts';

/** Orders that were taken and that the store may not know yet. Beyond this the oldest are looked up in the topic. */
const REMEMBERED = 100_000;

/** What becomes of an order: decided at once, or validated, paid for and shipped. */
export type OrderFlow = 'direct' | 'checkout';

export interface IntakePorts {
  readonly batchers: Readonly<Record<OrderFlow, RecordBatcher<CheckoutOrder>>>;
  /** Of the store. */
  readonly view: KeptView;
  /** Prices of the checkout. */
  readonly catalogue: () => Promise<Pick<Catalogue, 'prices'>>;
}

interface HowTaken {
  readonly flow: OrderFlow;
  readonly isNew: boolean;
  readonly traceparent: string | null;
}

export interface TakenOrder {
  readonly orderId: string;
  /** It was taken before, with the same content: nothing was sent. */
  readonly isRepeat: boolean;
}

/** An order, and the flow that its id belongs to. */
export interface KnownOrder {
  readonly flow: OrderFlow;
  readonly order: CheckoutOrder;
}

/** Takes orders in, many at a time: each is answered once the brokers have acknowledged it. */
export class OrderIntake {
  readonly #ports: IntakePorts;
  /** By id; those on their way as well. In the order in which they came. */
  readonly #taken = new Map<string, KnownOrder & { readonly sent: Promise<void> }>();

  constructor(ports: IntakePorts) {
    this.#ports = ports;
  }

  /** An order that was taken here and may not be decided yet. */
  taken(orderId: string): KnownOrder | undefined {
    return this.#taken.get(orderId);
  }

  /**
   * Sends an order, or recognises it as one that was taken or decided before.
   *
   * @param how.isNew its id was made for it: nobody knows it
   * @param how.traceparent the header of that name, for its record; null: it has none
   * @throws Failure invalid_value: an item has no price; already_exists: the id has another content or belongs to the other flow; broker_unreachable,
   *   broker_refused, registry_unreachable: it was not taken, or (the message says so) nobody knows; sending it again under
   *   its id is safe
   */
  async take(order: CheckoutOrder, how: HowTaken): Promise<TakenOrder> {
    const { orderId } = order;
    const { flow, isNew } = how;
    const taken = this.#taken.get(orderId);
    if (taken !== undefined) {
      refuseOther(taken, order, flow);
      await taken.sent;
      return { orderId, isRepeat: true };
    }
    const sent = isNew ? this.#send(order, how) : this.#lookUpAndSend(order, how);
    const done = sent.then(() => undefined);
    this.#remember({ order, flow, sent: done });
    try {
      return { orderId, isRepeat: await sent };
    } catch (error) {
      // The next try is to look at what became of it.
      if (this.#taken.get(orderId)?.sent === done) this.#taken.delete(orderId);
      throw error;
    }
  }

  #remember(one: KnownOrder & { readonly sent: Promise<void> }): void {
    // Those that wait for it hear of the failure.
    one.sent.catch(() => undefined);
    this.#taken.set(one.order.orderId, one);
    const [oldest] = this.#taken.keys();
    if (this.#taken.size > REMEMBERED && oldest !== undefined) this.#taken.delete(oldest);
  }

  /** @returns whether it was decided before, with the same content */
  async #lookUpAndSend(order: CheckoutOrder, how: HowTaken): Promise<boolean> {
    const known = await this.#ports.view.lookAtOrders((reader) => knownOrder(reader, order.orderId));
    if (known === undefined) return this.#send(order, how);
    refuseOther(known, order, how.flow);
    return true;
  }

  async #send(order: CheckoutOrder, { flow, traceparent }: HowTaken): Promise<false> {
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

/** @throws Failure invalid_value naming the field */
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
  const how = known.flow === flow ? 'with another content' : `in the ${known.flow} flow`;
  throw new Failure('already_exists', `order ${orderId} was taken before, ${how}`, {
    fix: 'give an order of its own an id of its own',
    context: { orderId },
  });
}

/** What one of them leaves out was filled in. */
function isSameOrOpen(one: CheckoutOrder, other: CheckoutOrder, field: 'address' | 'total'): boolean {
  return one[field] === undefined || other[field] === undefined || one[field] === other[field];
}
