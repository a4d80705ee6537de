import { CHECKOUT, type CheckoutFact } from '../../domain/checkout/facts.ts';
import { statusOf } from '../../domain/checkout/status.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { HistoryLine, StoreReader } from '../../ports/store.ts';
import { checkoutFactOf, isTakenUp, orderOf, owedById } from './checkout.ts';
import type { ListedOrder } from './listed-order.ts';

/** Orders as they are decided; orders of the checkout again each time their status changes. */
export async function* laterOrders(
  access: Pick<StoreAccess, 'read'>,
  later: AsyncIterable<readonly HistoryLine[]>,
): AsyncGenerator<readonly ListedOrder[]> {
  for await (const lines of later) {
    const steps = lines.map(checkoutFactOf);
    const changed = steps.some((step) => step !== undefined) ? await changedOrders(access, steps) : null;
    const orders = lines.flatMap((line, at) => {
      if (line.kind === 'decision') return [line.decided];
      return changed?.get(at) ?? [];
    });
    if (orders.length > 0) yield orders;
  }
}

/** Orders by the index of the step that changed their status; of several steps of an order, the last one counts. */
async function changedOrders(
  access: Pick<StoreAccess, 'read'>,
  steps: readonly (CheckoutFact | undefined)[],
): Promise<ReadonlyMap<number, ListedOrder[]>> {
  const places = new Map<string, number[]>();
  for (const [at, step] of steps.entries()) {
    if (step !== undefined) places.set(step.order_id, [...(places.get(step.order_id) ?? []), at]);
  }
  await using reader = await access.read({ onNotice: () => undefined });
  const owed = await owedById(reader);
  const changed = new Map<number, ListedOrder[]>();
  for (const [id, [first = 0, ...more]] of places) {
    const last = more.at(-1) ?? first;
    const { before, after } = await aroundSteps(reader, id, steps[first], steps[last]);
    const order = orderOf(id, after, owed);
    if (order.decidedAt === null) continue;
    if (!before.some(isTakenUp) || statusOf(before) !== order.status) changed.set(last, [order]);
  }
  return changed;
}

/** The facts of an order before the first of these steps, and up to the last one. Each step occurs once. */
async function aroundSteps(
  reader: Pick<StoreReader, 'facts'>,
  orderId: string,
  first: CheckoutFact | undefined,
  last: CheckoutFact | undefined,
): Promise<Record<'before' | 'after', readonly CheckoutFact[]>> {
  const facts = await reader.facts(CHECKOUT, orderId);
  const placeOf = (fact: CheckoutFact | undefined): number =>
    facts.findIndex(({ step }) => step === fact?.step);
  return { before: facts.slice(0, placeOf(first)), after: facts.slice(0, placeOf(last) + 1) };
}
