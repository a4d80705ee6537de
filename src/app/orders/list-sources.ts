import { CHECKOUT } from '../../domain/checkout/facts.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { StoreView } from '../../ports/store.ts';
import { upTo, type Moment, type Reached } from '../history/moment.ts';
import { checkoutFactOf, checkoutOrders, checkoutOrdersFromEnd, isTakenUp, orderOf } from './checkout.ts';
import { inDecisionOrder, inDecisionOrderFromEnd, merged, valuesOf } from './decision-order.ts';
import { statusesOf, type ListFilter } from './filter.ts';
import { decidedMs, type ListedOrder } from './listed-order.ts';

/*
 * The sources of listed orders: the logs of decisions for direct orders, the facts for orders of the checkout. A log in
 * which no order can match is not read.
 */

type Status = Pick<ListFilter, 'status'>;
type Orders = AsyncIterable<readonly ListedOrder[]>;

/** In the order of the decisions. */
export function ordersFromBeginning(reader: StoreView, { status }: Status): Orders {
  const [log, ...both] = logsOf(status);
  const direct: Orders[] =
    log === undefined ? [] : [both.length > 0 ? inDecisionOrder(reader) : reader.decisions(log)];
  const isLater = (one: ListedOrder, other: ListedOrder): boolean => decidedMs(one) < decidedMs(other);
  return together([...direct, ...(status === 'accepted' ? [] : [checkoutOrders(reader)])], isLater);
}

/** The same, from the last decision back. */
export function ordersFromEnd(reader: StoreView, { status }: Status): Orders {
  const [log, ...both] = logsOf(status);
  const direct: Orders[] =
    log === undefined
      ? []
      : [both.length > 0 ? inDecisionOrderFromEnd(reader) : valuesOf(reader.decisionsFromEnd(log))];
  const isLater = (one: ListedOrder, other: ListedOrder): boolean => decidedMs(one) > decidedMs(other);
  return together(
    [...direct, ...(status === 'accepted' ? [] : [valuesOf(checkoutOrdersFromEnd(reader))])],
    isLater,
  );
}

/** The orders at a past moment. History is read from its start, since the place of a moment in it is unknown. */
export async function* ordersUpTo(
  reader: StoreView,
  at: Moment,
  reached?: Reached,
): AsyncGenerator<readonly ListedOrder[]> {
  const steps = await stepsUpTo(reader, at);
  for await (const lines of upTo(reader.history([CHECKOUT]), at, reached)) {
    const orders: ListedOrder[] = [];
    for (const line of lines) {
      if (line.kind === 'decision') orders.push(line.decided);
      const fact = checkoutFactOf(line);
      if (fact === undefined || !isTakenUp(fact)) continue;
      const { order_id: id } = fact;
      const facts = (await reader.facts(CHECKOUT, id)).slice(0, steps.get(id));
      // The effects that were pending then are no longer known.
      orders.push(orderOf(id, facts));
    }
    yield orders;
  }
}

/** The number of steps of each checkout order at that moment. */
async function stepsUpTo(reader: StoreView, at: Moment): Promise<ReadonlyMap<string, number>> {
  const steps = new Map<string, number>();
  const { done } = await reader.allFacts(CHECKOUT)[Symbol.asyncIterator]().next();
  if (done === true) return steps;
  for await (const lines of upTo(reader.history([CHECKOUT]), at)) {
    for (const line of lines) {
      const id = checkoutFactOf(line)?.order_id;
      if (id !== undefined) steps.set(id, (steps.get(id) ?? 0) + 1);
    }
  }
  return steps;
}

/** The logs of direct orders in which an order can have this status. */
export function logsOf(status: ListFilter['status']): readonly Decided['outcome']['kind'][] {
  return (['accepted', 'rejected'] as const).filter(
    (outcome) => status === null || statusesOf(outcome).includes(status),
  );
}

function together(
  [one, other]: readonly Orders[],
  comesFirst: (other: ListedOrder, one: ListedOrder) => boolean,
): Orders {
  if (one === undefined) throw new Error('no log has orders of that status');
  return other === undefined ? one : merged(one, other, comesFirst);
}
