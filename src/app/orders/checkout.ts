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
/** What the first fact of an order that came is. */
const TAKEN_UP: FieldValues<CheckoutFact> = { field: 'step', values: ['validated', 'rejected'] };

/** What is known of an order of the checkout; undefined: nothing. */
export async function readCheckoutOrder(
  reader: Pick<StoreReader, 'facts' | 'effects'>,
  orderId: string,
): Promise<CheckoutOrder | undefined> {
  const facts = await reader.facts(CHECKOUT, orderId);
  if (facts.length === 0) return undefined;
  const ids = MONEY.map((kind) => checkoutEffectId(orderId, kind));
  return orderOf(orderId, facts, await owedById(reader, ids));
}

/** Orders in the order in which validation took them up. */
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

/** Orders that are looked up together, and perhaps in vain. */
const LOOKED_UP = 50;

/** The same from the last one back, or from a place: read only as far as asked for. */
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

/** The first fact of an order that came; a wish to cancel it may have come before. */
export function isTakenUp({ step }: CheckoutFact): boolean {
  return TAKEN_UP.values.includes(step);
}

/** The step of an order that a line of history is; undefined: it is none. */
export function checkoutFactOf(line: HistoryLine): CheckoutFact | undefined {
  return line.kind === 'fact' && line.log.name === CHECKOUT.name ? (line.fact as CheckoutFact) : undefined;
}

type OwedById = ReadonlyMap<string, Effect>;

/** @param ids of those that are wanted; without them all */
export async function owedById(
  reader: Pick<StoreReader, 'effects'>,
  ids?: readonly string[],
): Promise<OwedById> {
  return new Map((await reader.effects(ids)).map((effect) => [effect.id, effect]));
}

/** @param owed of all orders; nothing where it is not known what was owed then */
export function orderOf(orderId: string, facts: readonly CheckoutFact[], owed?: OwedById): CheckoutOrder {
  const charge = owed?.get(checkoutEffectId(orderId, 'charge'));
  const refund = owed?.get(checkoutEffectId(orderId, 'refund'));
  const money = { ...(charge === undefined ? {} : { charge }), ...(refund === undefined ? {} : { refund }) };
  return checkoutOrder(orderId, facts, money);
}
