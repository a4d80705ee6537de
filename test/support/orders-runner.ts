import { BatchRunner, Quota } from '../../src/app/run/batches/batch.ts';
import type { CodecOf, RecordResult } from '../../src/app/run/events.ts';
import { Outbox } from '../../src/app/run/outbox/outbox.ts';
import { OrderTally } from '../../src/app/run/status/tally.ts';
import { Waits } from '../../src/app/run/wait.ts';
import type { Decision } from '../../src/domain/orders/decided.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import { ORDER } from '../../src/domain/messages/shop/order.ts';
import type { Broker } from '../../src/ports/broker.ts';
import type { OrderCodec } from '../../src/ports/codec.ts';
import type { Store, StoredPosition } from '../../src/ports/store.ts';
import { ORDERS } from '../../src/processors/orders/processor.ts';
import { FakeClock } from './fake-clock.ts';
import { JsonCodec } from './json-codec.ts';

export interface OrdersRunner {
  readonly batches: BatchRunner<Order, Decision>;
  readonly outbox: Outbox;
}

/** The path of a batch of orders, without a consumer and a group around it. */
export function ordersRunner(of: {
  readonly store: Store;
  readonly codec: OrderCodec;
  readonly broker: Broker;
  readonly positions: Map<number, StoredPosition>;
  readonly group: string;
  readonly dlqTopic: string;
  /** As in RunOptions. */
  readonly untilEnd: boolean;
  readonly onResults?: (results: readonly RecordResult[]) => void;
}): OrdersRunner {
  const { store, codec, broker, positions, group, dlqTopic, untilEnd, onResults } = of;
  const clock = new FakeClock();
  const stop = new AbortController();
  const on = (): void => undefined;
  const waits = new Waits({ clock, options: { untilEnd, maxMessages: null }, on, stop });
  const others = new JsonCodec();
  const codecOf: CodecOf = async ({ name }) => (name === ORDER.name ? codec : others);
  const topics = { broker, names: new Map(), create: true };
  const outbox = new Outbox({ store, clock, ...topics, group, codecOf, waits, on, stop });
  const batches = new BatchRunner<Order, Decision>({
    service: {
      processor: ORDERS,
      group,
      tally: new OrderTally(),
      onBatch: ({ results }) => onResults?.(results),
    },
    source: ORDER,
    dlqTopic,
    store,
    codec,
    outbox,
    waits,
    positions,
    quota: new Quota(null),
    clock,
    effects: { keepUp: async () => undefined },
    onCommitted: () => undefined,
  });
  return { batches, outbox };
}
