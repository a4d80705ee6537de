import { ORDER } from '../../domain/messages/shop/order.ts';
import type { Decided, Decision } from '../../domain/orders/decided.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { Processor, Received } from '../processor.ts';
import { decideAll } from './decide.ts';

/** Decides orders against users and stock, each id once. */
export const ORDERS: Processor<Order, Decision> = {
  name: 'orders',
  sources: [ORDER],
  emits: [],
  keys,
  decide(received, state) {
    const results = decideAll(received, state, state.at);
    const decisions: Decided[] = [];
    for (const result of results) if (result.kind === 'decided') decisions.push(result.decided);
    return { changes: { decisions }, results };
  },
};

/** On demand: a store that holds its tables in memory never asks for users and items. */
function keys(received: readonly Received<Order>[]): ReturnType<(typeof ORDERS)['keys']> {
  return {
    users: onDemand(function* () {
      for (const { message } of received) yield message.user;
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
