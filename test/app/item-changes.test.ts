import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  isItemChangesMark,
  itemChangesPage,
  type ItemChange,
  type ItemChangesMark,
} from '../../src/app/history/item-changes.ts';
import { keptView } from '../../src/app/intake/shared-reader.ts';
import { markRestored } from '../../src/app/store/mark-restored.ts';
import type { Movement } from '../../src/domain/movement.ts';
import { decideRecords, recordOf } from '../support/decided.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

const ITEMS = ['pen', 'book'] as const;
const KINDS = ['order', 'edit', 'price', 'restock', 'sale', 'reservation', 'rejected', 'both'] as const;

interface Change {
  readonly kind: (typeof KINDS)[number];
  readonly item: (typeof ITEMS)[number];
  readonly quantity: number;
}

async function emptyShop(): Promise<ModelFolder> {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  for (const item of ITEMS) await folder.edit({ kind: 'item.add', item, quantity: 1_000 });
  return folder;
}

/** Each is a commit of its own. */
async function change(folder: ModelFolder, changes: readonly Change[], from = 0): Promise<void> {
  for (const [at, { kind, item, quantity }] of changes.entries()) {
    const n = from + at;
    if (kind === 'edit') await folder.edit({ kind: 'item.update', item, by: quantity });
    else if (kind === 'price') await folder.edit({ kind: 'item.update', item, price: `${quantity}.00` });
    else {
      await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
      if (kind === 'order' || kind === 'rejected' || kind === 'both') {
        const user = kind === 'rejected' ? 'nobody' : 'alice';
        const records = [recordOf('orders', n, `o-${n}`, user, { [item]: quantity })];
        const restock: Movement = { item, delta: 9, cause: 'restock', orderId: null, eventId: `e-${n}` };
        await decideRecords(store, records, kind === 'both' ? [restock] : []);
      } else {
        const delta = kind === 'restock' ? quantity : -quantity;
        const movement = { item, delta, cause: kind, orderId: null, eventId: `e-${n}` };
        await store.transact({ items: ITEMS }, () => ({
          changes: { movements: [movement, { ...movement, item: 'pen', delta: -delta, cause: 'sale' }] },
          result: null,
        }));
      }
    }
    await folder.clock.sleep(1_000);
  }
}

/** Each as `10 edit 12`, the latest first. @param between what happens after each page */
async function listed(
  folder: ModelFolder,
  item: string,
  { limit, between = async () => undefined }: { limit: number; between?: () => Promise<void> },
): Promise<string[]> {
  const view = await keptView(folder);
  const found: ItemChange[] = [];
  let mark: ItemChangesMark | null = null;
  do {
    const { changes, next }: Awaited<ReturnType<typeof itemChangesPage>> = await itemChangesPage(view, item, {
      limit,
      mark,
    });
    expect(changes.length).toBeLessThanOrEqual(limit);
    expect(next === null || isItemChangesMark(JSON.parse(JSON.stringify(next)))).toBe(true);
    found.push(...changes);
    mark = next;
    await between();
  } while (mark !== null);
  return found.map(({ before, cause, after }) => `${before ?? 'none'} ${cause} ${after ?? 'none'}`);
}

/** From the tables as they were after each line of history. */
function wanted(folder: ModelFolder, item: string): string[] {
  const said: string[] = [];
  let onHand: number | null = null;
  for (const line of folder.history) {
    let next: number | null = onHand;
    let cause = '';
    if (line.kind === 'edit' && line.edit.kind === 'item' && line.edit.item === item)
      [next, cause] = [line.edit.after?.quantity ?? null, 'edit'];
    if (line.kind === 'movement' && line.movement.item === item)
      [next, cause] = [(onHand ?? 0) + line.movement.delta, line.movement.cause];
    if (line.kind === 'decision' && line.decided.outcome.kind === 'accepted') {
      const sold = line.decided.order.items.filter((one) => one.item === item);
      [next, cause] = [(onHand ?? 0) - sold.reduce((sum, { quantity }) => sum + quantity, 0), 'sale'];
    }
    if (next !== onHand) said.push(`${onHand ?? 'none'} ${cause} ${next ?? 'none'}`);
    onHand = next;
  }
  return said.reverse();
}

const CHANGES = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    item: fc.constantFrom(...ITEMS),
    quantity: fc.integer({ min: 1, max: 5 }),
  }),
  { maxLength: 40 },
);

it('pages of any size have each change of an item once, the latest first, with what was on hand', async () => {
  await fc.assert(
    fc.asyncProperty(CHANGES, fc.integer({ min: 1, max: 9 }), async (changes, limit) => {
      const folder = await emptyShop();
      await change(folder, changes);
      for (const item of ITEMS) expect(await listed(folder, item, { limit })).toEqual(wanted(folder, item));
    }),
  );
});

it('what changes between two pages shifts nothing', async () => {
  const folder = await emptyShop();
  const some: Change[] = Array.from({ length: 12 }, (_, at) => {
    return { kind: KINDS[at % KINDS.length] ?? 'edit', item: 'pen', quantity: 1 };
  });
  await change(folder, some);
  const before = wanted(folder, 'pen');
  let n = 100;
  const between = (): Promise<void> => change(folder, some.slice(0, 4), (n += 10));
  expect(await listed(folder, 'pen', { limit: 3, between })).toEqual(before);
});

it('a page reads so much at most, and a mark is of one store', async () => {
  const folder = await emptyShop();
  const seldom: Change[] = Array.from({ length: 100 }, () => ({
    kind: 'restock',
    item: 'book',
    quantity: 1,
  }));
  await change(folder, [{ kind: 'order', item: 'book', quantity: 2 }, ...seldom.slice(0, 60)]);
  const view = await keptView(folder);
  const first = await itemChangesPage(view, 'none', { limit: 5, mark: null });
  expect(first.changes).toEqual([]);
  expect(first.next).not.toBeNull();
  expect(await listed(folder, 'book', { limit: 50 })).toEqual(wanted(folder, 'book'));
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  await markRestored(store);
  await expect(itemChangesPage(view, 'none', { limit: 5, mark: first.next })).rejects.toMatchObject({
    code: 'invalid_value',
  });
  for (const wrong of [
    null,
    3,
    {},
    { store: '', places: { orders: [1] } },
    { store: '', places: { edits: 1 } },
  ])
    expect(isItemChangesMark(wrong)).toBe(false);
});
