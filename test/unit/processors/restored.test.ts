import { expect, it } from 'vitest';
import type { OrderCreated } from '../../../src/domain/messages/checkout/order-created.ts';
import { RESTORED, RESTORED_KEY } from '../../../src/domain/messages/restored.ts';
import { StockEvents } from '../../../src/processors/stock-events.ts';
import { validation } from '../../../src/processors/validation/processor.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ModelFolder } from '../../support/model.ts';
import { receive } from '../../support/receive.ts';

const ORDER: OrderCreated = {
  order_id: 'O-1',
  customer_id: 'alice',
  total_amount: '2.50',
  shipping_address: 'Road 1',
  created_at: 1,
  items: [{ product_id: 'pen', quantity: 1, unit_price: '2.50' }],
};

/** What a shop with two pens sends for one order and the sale of one of them: ids, and the revisions of the item. */
async function sent(restoredAt: number | null): Promise<{ ids: string[]; revisions: number[] }> {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 2, price: '2.50' });
  if (restoredAt !== null) folder.small.set(RESTORED.name, new Map([[RESTORED_KEY, { at: restoredAt }]]));
  await receive(folder, validation(), [ORDER]);
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  await store.transact({ items: ['pen'] }, (state) => {
    const events = new StockEvents({ lowStock: 1 }, state);
    const movement = { item: 'pen', delta: -1, cause: 'sale', orderId: null, eventId: 'E-1' } as const;
    events.moved(movement);
    return { changes: { movements: [movement], ...events.announced() }, result: undefined };
  });
  const messages = folder.outgoing.flatMap((outgoing) => (outgoing.kind === 'message' ? [outgoing] : []));
  const revisions = messages.flatMap(({ fields }) =>
    typeof fields.revision === 'number' ? [fields.revision] : [],
  );
  return { ids: messages.map(({ id }) => id), revisions };
}

it('what a restored store decides again has other ids, and greater revisions, each time it is restored', async () => {
  const trials = [await sent(null), await sent(1_800_000_000_000), await sent(1_800_000_000_001)];
  const ids = trials.flatMap((trial) => trial.ids);
  // An order that is validated, a sale, and the alert that it leads to.
  expect(ids).toHaveLength(9);
  expect(new Set(ids).size).toBe(9);
  const [first = [], second = [], third = []] = trials.map(({ revisions }) => revisions);
  expect(first).toEqual([1, 1]);
  expect(Math.min(...second)).toBeGreaterThan(Math.max(...first));
  expect(Math.min(...third)).toBeGreaterThan(Math.max(...second) + 100);
  expect(Number.isSafeInteger(Math.max(...third))).toBe(true);
});

it('the same restore has the same ids each time it is decided', async () => {
  expect(await sent(1_800_000_000_000)).toEqual(await sent(1_800_000_000_000));
});
