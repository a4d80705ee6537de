import { Failure } from '../../../domain/failure.ts';
import type { StoreAccess } from '../../../ports/access.ts';
import { nameOf } from '../../parse.ts';

/** The number of recent decisions whose ids are searched, which takes a few hundredths of a second. */
const RECENT = 10_000;
/** How many candidates a message lists. */
const NAMED = 3;

/**
 * Resolves the id of an order, which may be shortened as in a narrow table: `ORD-0…de0001`.
 *
 * @throws Failure invalid_value: it is not a valid id, or several recent ids match; not_found: no recent id matches
 */
export async function orderIdOf(access: StoreAccess, text: string): Promise<string> {
  const [start = '', end, ...more] = text.split('…');
  if (end === undefined || more.length > 0) return nameOf('ID', text);
  const [{ listOrders }, { orderIdOf: listedId }, { ALL_ORDERS }] = await Promise.all([
    import('../../../app/orders/list.ts'),
    import('../../../app/orders/listed-order.ts'),
    import('../../../app/orders/filter.ts'),
  ]);
  const found = new Set<string>();
  const quiet = { read: () => access.read({ onNotice: () => undefined }) };
  await listOrders(quiet, {
    filter: ALL_ORDERS,
    last: RECENT,
    onOrders: async (orders) => {
      for (const id of orders.map(listedId)) if (isShortened(id, start, end)) found.add(id);
    },
  });
  const [id, ...others] = found;
  const fix = 'see the full ids: orderctl order list -o csv';
  if (id === undefined) throw new Failure('not_found', `no recent order id matches ${text}`, { fix });
  if (others.length === 0) return id;
  const named = [id, ...others].slice(0, NAMED).join(', ');
  throw new Failure('invalid_value', `${found.size} recent order ids match ${text}: ${named}`, {
    fix,
  });
}

function isShortened(id: string, start: string, end: string): boolean {
  return id.length > start.length + end.length && id.startsWith(start) && id.endsWith(end);
}
