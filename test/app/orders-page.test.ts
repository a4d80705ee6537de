import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keptView } from '../../src/app/intake/shared-reader.ts';
import { ALL_ORDERS, type ListFilter } from '../../src/app/orders/filter.ts';
import { listOrders } from '../../src/app/orders/list.ts';
import { orderIdOf } from '../../src/app/orders/listed-order.ts';
import { isOrdersMark, ordersPage, type OrdersMark } from '../../src/app/orders/page.ts';
import { markRestored } from '../../src/app/store/mark-restored.ts';
import { CHECKOUT } from '../../src/domain/checkout/facts.ts';
import { newFact } from '../../src/domain/facts.ts';
import { isoTime } from '../../src/domain/iso-time.ts';
import { decideRecords, recordOf } from '../support/decided.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

const { signal } = new AbortController();

/** Each in a commit of its own: direct orders `A` (accepted) and `R` (rejected), and `V`, one of the checkout. */
async function shop(kinds: readonly string[]): Promise<ModelFolder> {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 1e9 });
  for (const [n, kind] of kinds.entries()) await place(folder, kind, n);
  return folder;
}

async function place(folder: ModelFolder, kind: string, n: number): Promise<void> {
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  const id = `${kind}-${n}`;
  if (kind !== 'V') {
    const user = kind === 'A' ? 'alice' : 'nobody';
    await decideRecords(store, [recordOf('orders', n, id, user, { pen: 1 })]);
  } else {
    await store.transact({}, ({ at }) => ({
      changes: { facts: [newFact(CHECKOUT, stepOf(id, n, isoTime(at)) as never)] },
      result: null,
    }));
  }
  await folder.clock.sleep(1_000);
}

function stepOf(order_id: string, offset: number, at: string) {
  return {
    order_id,
    step: 'validated',
    at,
    topic: 'orders.created',
    partition: 0,
    offset,
    created_at: at,
    customer_id: 'alice',
    items: [],
    total_amount: '0.00',
    shipping_address: 'x',
  };
}

/** @param between what happens after each page */
async function pages(
  folder: ModelFolder,
  { limit, filter = ALL_ORDERS }: { readonly limit: number; readonly filter?: ListFilter },
  between: () => Promise<void> = async () => undefined,
): Promise<string[][]> {
  const view = await keptView(folder);
  const found: string[][] = [];
  let mark: OrdersMark | null = null;
  do {
    const { orders, next }: Awaited<ReturnType<typeof ordersPage>> = await ordersPage(view, {
      filter,
      limit,
      mark,
      signal,
    });
    found.push(orders.map(orderIdOf));
    expect(orders.length).toBeLessThanOrEqual(limit);
    expect(next === null || isOrdersMark(JSON.parse(JSON.stringify(next)))).toBe(true);
    mark = next;
    await between();
  } while (mark !== null);
  return found;
}

it('pages are the list from its end, each order once, whatever is decided meanwhile', async () => {
  const kinds = fc.array(fc.constantFrom('A', 'R', 'V'), { maxLength: 12 });
  const statuses = fc.constantFrom(null, 'COMPLETED', 'REJECTED', 'VALIDATED', 'accepted');
  await fc.assert(
    fc.asyncProperty(kinds, statuses, fc.integer({ min: 1, max: 5 }), async (all, status, limit) => {
      const folder = await shop(all);
      const filter = { ...ALL_ORDERS, status };
      const listed: string[] = [];
      await listOrders(folder, {
        filter,
        last: Infinity,
        isReversed: true,
        onOrders: async (orders) => void listed.push(...orders.map(orderIdOf)),
      });
      let n = 100;
      const more = (): Promise<void> => place(folder, ['A', 'R', 'V'][n % 3] ?? '', n++);
      expect((await pages(folder, { limit, filter }, more)).flat()).toEqual(listed);
    }),
    { numRuns: 100 },
  );
});

it('a mark is of one store, and not of that store once it was restored', async () => {
  const folder = await shop(['A', 'A']);
  const page = async (of: ModelFolder, mark: OrdersMark | null) =>
    ordersPage(await keptView(of), { filter: ALL_ORDERS, limit: 1, signal, mark });
  const { next } = await page(folder, null);
  expect((await page(folder, next)).orders.map(orderIdOf)).toEqual(['A-0']);
  const other = new ModelFolder(new FakeClock(), 'other');
  await expect(page(other, next)).rejects.toMatchObject({ code: 'invalid_value' });
  {
    await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
    await markRestored(store);
  }
  await expect(page(folder, next)).rejects.toMatchObject({ fix: 'start again without a cursor' });
});

it('a page looks at a bounded part of the list: it may be empty, and the list goes on', async () => {
  const folder = await shop([]);
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  const records = Array.from({ length: 12_000 }, (_, n) =>
    recordOf('orders', n, `O-${n}`, 'alice', { pen: 1 }),
  );
  await decideRecords(store, [recordOf('orders', 12_000, 'X-1', 'bob', { pen: 1 }), ...records]);
  await folder.edit({ kind: 'user.add', user: 'bob', status: 'paid' });
  const rare = await pages(folder, { limit: 5, filter: { ...ALL_ORDERS, user: 'bob' } });
  expect(rare.flat()).toEqual(['X-1']);
  expect(rare.length).toBeGreaterThan(2);
  expect(rare.length).toBeLessThan(9);
});
