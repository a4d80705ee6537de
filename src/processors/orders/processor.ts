import { ALERT } from '../../domain/messages/shop/alert.ts';
import { INVENTORY_EVENT } from '../../domain/messages/shop/inventory-event.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import type { Decided, Decision } from '../../domain/orders/decided.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { StateKeys } from '../../domain/state.ts';
import type { Processor, Received } from '../processor.ts';
import { PLAIN_SHOP, type ShopOptions } from '../options.ts';
import { StockEvents } from '../stock-events.ts';
import { decideAll } from './decide.ts';

/** Decides orders against users and stock, each id once. */
export function orders({ events, users }: Pick<ShopOptions, 'events' | 'users'>): Processor<Order, Decision> {
  return {
    name: 'orders',
    sources: [ORDER],
    emits: events === null ? [] : [INVENTORY_EVENT, ALERT],
    keys,
    decide(received, state) {
      const results = decideAll(received, state, state.at, users);
      const decisions: Decided[] = [];
      for (const result of results) if (result.kind === 'decided') decisions.push(result.decided);
      if (events === null) return { changes: { decisions }, results };
      const stock = new StockEvents(events, state);
      for (const decided of decisions) stock.decided(decided);
      return { changes: { decisions, ...stock.announced() }, results };
    },
  };
}

/** As a shop without events has it. */
export const ORDERS = orders(PLAIN_SHOP);

/** On demand: a store that holds its tables in memory never asks for users and items. */
function keys(received: readonly Received<Order>[]): StateKeys {
  return {
    users: onDemand(function* () {
      for (const { message } of received) if (message.user !== '') yield message.user;
    }),
    items: onDemand(function* () {
      for (const { message } of received) for (const line of message.items) yield line.item;
    }),
    orders: onDemand(function* () {
      for (const { message } of received) yield message.orderId;
    }),
  };
}

function onDemand<T>(generate: () => Generator<T>): Iterable<T> {
  return { [Symbol.iterator]: generate };
}
