import { Failure } from '../../domain/failure.ts';
import { sameContent, type Order } from '../../domain/orders/order.ts';
import type { StoreReader } from '../../ports/store.ts';
import type { RecordBatcher } from './batcher.ts';

/** Orders that were taken and that the store may not know yet. Beyond this the oldest are looked up in the topic. */
const REMEMBERED = 100_000;

export interface IntakePorts {
  readonly batcher: RecordBatcher<Order>;
  /** As the store is at this moment. */
  readonly read: () => Promise<Pick<StoreReader, 'decided'> & AsyncDisposable>;
}

export interface TakenOrder {
  readonly orderId: string;
  /** It was taken before, with the same content: nothing was sent. */
  readonly isRepeat: boolean;
}

/** Takes orders in, many at a time: each is answered once the brokers have acknowledged it. */
export class OrderIntake {
  readonly #ports: IntakePorts;
  /** By id; those on their way as well. In the order in which they came. */
  readonly #taken = new Map<string, { readonly order: Order; readonly sent: Promise<void> }>();

  constructor(ports: IntakePorts) {
    this.#ports = ports;
  }

  /** An order that was taken here and may not be decided yet. */
  taken(orderId: string): Order | undefined {
    return this.#taken.get(orderId)?.order;
  }

  /**
   * Sends an order, or recognises it as one that was taken or decided before.
   *
   * @throws Failure already_exists: the id has another content; broker_unreachable, broker_refused, registry_unreachable:
   *   it was not taken, or (the message says so) nobody knows; sending it again under its id is safe
   */
  async take(order: Order): Promise<TakenOrder> {
    const { orderId } = order;
    const known = this.#taken.get(orderId);
    if (known !== undefined) {
      refuseOther(known.order, order);
      await known.sent;
      return { orderId, isRepeat: true };
    }
    const sent = this.#lookUpAndSend(order);
    const done = sent.then(() => undefined);
    this.#remember(order, done);
    try {
      return { orderId, isRepeat: await sent };
    } catch (error) {
      // The next try is to look at what became of it.
      if (this.#taken.get(orderId)?.sent === done) this.#taken.delete(orderId);
      throw error;
    }
  }

  #remember(order: Order, sent: Promise<void>): void {
    // Those that wait for it hear of the failure.
    sent.catch(() => undefined);
    this.#taken.set(order.orderId, { order, sent });
    const [oldest] = this.#taken.keys();
    if (this.#taken.size > REMEMBERED && oldest !== undefined) this.#taken.delete(oldest);
  }

  /** @returns whether it was decided before, with the same content */
  async #lookUpAndSend(order: Order): Promise<boolean> {
    await using reader = await this.#ports.read();
    const decided = await reader.decided(order.orderId);
    if (decided !== undefined) {
      refuseOther(decided.order, order);
      return true;
    }
    await this.#ports.batcher.send({ key: order.orderId, value: order });
    return false;
  }
}

function refuseOther(first: Order, order: Order): void {
  if (sameContent(first, order)) return;
  const { orderId } = order;
  throw new Failure('already_exists', `order ${orderId} was taken before, with another content`, {
    fix: 'give an order of its own an id of its own',
    context: { orderId },
  });
}
