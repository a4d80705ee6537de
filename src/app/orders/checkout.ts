import { checkoutEffectId } from '../../domain/checkout/effect-id.ts';
import { CHECKOUT, type CheckoutFact } from '../../domain/checkout/facts.ts';
import type { Effect } from '../../domain/effects.ts';
import type {
  FieldValues,
  HistoryLine,
  LineAt,
  LogPlace,
  StoreReader,
  StoreView,
} from '../../ports/store.ts';
import { checkoutOrder, type CheckoutOrder } from '../../views/checkout-order.ts';

export type { CheckoutOrder };

const MONEY = ['charge', 'refund'] as const;
/** The first fact about an order that has arrived. */
const TAKEN_UP: FieldValues<CheckoutFact> = { field: 'step', values: ['validated', 'rejected'] };

/** Reads a checkout order; undefined when nothing is known about it. */
export async function readCheckoutOrder(
  reader: Pick<StoreReader, 'facts' | 'effects'>,
  orderId: string,
): Promise<CheckoutOrder | undefined> {
  const facts = await reader.facts(CHECKOUT, orderId);
  if (facts.length === 0) return undefined;
  const ids = MONEY.map((kind) => checkoutEffectId(orderId, kind));
  return orderOf(orderId, facts, await owedById(reader, ids));
}

/** The orders, in the sequence in which validation processed them. */
export async function* checkoutOrders(
  reader: Pick<StoreReader, 'allFacts' | 'facts' | 'effects'>,
): AsyncGenerator<readonly CheckoutOrder[]> {
  const owed = await owedById(reader);
  for await (const chunk of reader.allFacts(CHECKOUT)) {
    const orders: CheckoutOrder[] = [];
    for (const fact of chunk) {
      if (!isTakenUp(fact)) continue;
      const { order_id: id } = fact;
      orders.push(orderOf(id, await reader.facts(CHECKOUT, id), owed));
    }
    yield orders;
  }
}

/** How many orders are looked up together, perhaps more than are needed. */
const LOOKED_UP = 50;

/** The same, backwards from the last one or from a place: reads only as far as the caller does. */
export async function* checkoutOrdersFromEnd(
  reader: Pick<StoreView, 'factsFromEnd' | 'facts' | 'effects'>,
  from?: LogPlace,
): AsyncGenerator<readonly LineAt<CheckoutOrder>[]> {
  for await (const chunk of reader.factsFromEnd(CHECKOUT, TAKEN_UP, from)) {
    for (let at = 0; at < chunk.length; at += LOOKED_UP) {
      const piece = chunk.slice(at, at + LOOKED_UP);
      const ids = piece.map(({ value }) => value.order_id);
      const effects = ids.flatMap((id) => MONEY.map((kind) => checkoutEffectId(id, kind)));
      const owed = await owedById(reader, effects);
      const all = await Promise.all(ids.map((id) => reader.facts(CHECKOUT, id)));
      yield piece.map(({ value, place }, index) => {
        return { value: orderOf(value.order_id, all[index] ?? [], owed), place };
      });
    }
  }
}

/** Whether it is the first fact of an order that has arrived; a cancellation request may be logged before it. */
export function isTakenUp({ step }: CheckoutFact): boolean {
  return TAKEN_UP.values.includes(step);
}

/** The checkout step in a line of history; undefined: it is another line. */
export function checkoutFactOf(line: HistoryLine): CheckoutFact | undefined {
  return line.kind === 'fact' && line.log.name === CHECKOUT.name ? (line.fact as CheckoutFact) : undefined;
}

type OwedById = ReadonlyMap<string, Effect>;

/** @param ids the wanted effects; left out: all */
export async function owedById(
  reader: Pick<StoreReader, 'effects'>,
  ids?: readonly string[],
): Promise<OwedById> {
  return new Map((await reader.effects(ids)).map((effect) => [effect.id, effect]));
}

/** @param owed pending effects by id; left out when they are unknown */
export function orderOf(orderId: string, facts: readonly CheckoutFact[], owed?: OwedById): CheckoutOrder {
  const charge = owed?.get(checkoutEffectId(orderId, 'charge'));
  const refund = owed?.get(checkoutEffectId(orderId, 'refund'));
  const money = { ...(charge === undefined ? {} : { charge }), ...(refund === undefined ? {} : { refund }) };
  return checkoutOrder(orderId, facts, money);
}
