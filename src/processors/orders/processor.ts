import { CHECKOUT, placedOf } from '../../domain/checkout/facts.ts';
import { ALERT } from '../../domain/messages/shop/alert.ts';
import { INVENTORY_EVENT } from '../../domain/messages/shop/inventory-event.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import type { Decided, Decision } from '../../domain/orders/decided.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { State, StateKeys } from '../../domain/state.ts';
import type { Processor, Received } from '../processor.ts';
import { PLAIN_SHOP, type ShopOptions } from '../options.ts';
import { StockEvents } from '../stock-events.ts';
import { decideAll, type BatchState } from './decide.ts';

/** Accepts or rejects direct orders by users and stock, each id once. */
export function orders({ events, users }: Pick<ShopOptions, 'events' | 'users'>): Processor<Order, Decision> {
  return {
    name: 'orders',
    sources: [ORDER],
    emits: events === null ? [] : [INVENTORY_EVENT, ALERT],
    keys,
    decide(received, state) {
      const results = decideAll(received, withClaims(state), state.at, users);
      const decisions: Decided[] = [];
      for (const result of results) if (result.kind === 'decided') decisions.push(result.decided);
      if (events === null) return { changes: { decisions }, results };
      const stock = new StockEvents(events, state);
      for (let at = 0; at < results.length; at++) {
        const result = results[at];
        if (result?.kind !== 'decided') continue;
        stock.causedBy(received[at]?.traceparent ?? null);
        stock.decided(result.decided);
      }
      return { changes: { decisions, ...stock.announced() }, results };
    },
  };
}

/** The processor of a shop that sends no events. */
export const ORDERS = orders(PLAIN_SHOP);

/** Keys are generated on demand: a store with its tables in memory never iterates over users and items. */
function keys(received: readonly Received<Order>[]): StateKeys {
  return {
    users: onDemand(function* () {
      for (const { message } of received) if (message.user !== '') yield message.user;
    }),
    items: onDemand(function* () {
      for (const { message } of received) for (const line of message.items) yield line.item;
    }),
    orders: onDemand(() => orderIds(received)),
    facts: new Map([[CHECKOUT, onDemand(() => orderIds(received))]]),
  };
}

function* orderIds(received: readonly Received<Order>[]): Generator<string> {
  for (const { message } of received) yield message.orderId;
}

/** Both flows share one namespace of ids. The checkout owns the ids that it received first. */
function withClaims(state: State): BatchState {
  return {
    status: (user) => state.status(user),
    quantity: (item) => state.quantity(item),
    decided: (orderId) => state.decided(orderId),
    claimed: (orderId) => {
      const facts = state.facts(CHECKOUT, orderId);
      // An order that was cancelled in advance has no fact of its placement.
      const first = placedOf(facts) ?? facts[0];
      if (first === undefined) return undefined;
      const { topic, partition, offset } = first;
      return { topic, partition, offset };
    },
  };
}

function onDemand<T>(generate: () => Generator<T>): Iterable<T> {
  return { [Symbol.iterator]: generate };
}
