import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { importTable } from '../../src/app/tables/import.ts';
import { undoEdit } from '../../src/app/tables/undo.ts';
import type { Failure } from '../../src/domain/failure.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { Store } from '../../src/ports/store.ts';
import type { CopiedTable, TableCopy } from '../../src/ports/table-copy.ts';
import { accepted, order, type StoreUnderTest } from './store.suite.ts';

const onNotice = (): void => undefined;
const how = { via: 'command', onNotice } as const;

/** The table with that stock of books. */
function withBooks({ columns, rows }: CopiedTable, quantity: number): CopiedTable {
  return {
    columns,
    rows: rows.map((row) => ('item' in row && row.item === 'book' ? { ...row, quantity } : row)),
  };
}

function sell(store: Store, quantity: number): Promise<null> {
  const sold = order(`ORD-${quantity}`, 'book', quantity);
  return store.transact({ users: ['alice'], items: ['book'], orders: [sold.orderId] }, (state) => ({
    changes: { decisions: [accepted(sold, [(state.quantity('book') ?? 0) - quantity])] },
    result: null,
  }));
}

/** What is computed from a copy of a table, while others do the same. */
export function computedCopiesContract(make: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest;
  let access: StoreAccess;

  beforeEach(async () => {
    under = await make();
    access = under.access();
    await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, how);
    await access.edit({ kind: 'item.add', item: 'book', quantity: 100 }, how);
    await access.edit({ kind: 'item.add', item: 'pen', quantity: 5 }, how);
    await access.edit({ kind: 'item.update', item: 'book', by: 50 }, how);
  });
  afterEach(() => under[Symbol.asyncDispose]());

  const stock = async (): Promise<unknown> => {
    await using reader = await access.read();
    return Object.fromEntries([...(await reader.items())].map(({ item, quantity }) => [item, quantity]));
  };

  describe.each([true, false])('beside an owner: %s', (isOwned) => {
    let owner: Store | null;
    beforeEach(async () => {
      owner = isOwned ? await under.access().own({ purpose: 'test', via: 'consume', onNotice }) : null;
    });
    afterEach(() => owner?.[Symbol.asyncDispose]());

    test('of two copies made before either is merged the second counts only where the first has changed none of its rows', async () => {
      const copies: TableCopy[] = [];
      for (let made = 1; made <= 3; made++) copies.push(await access.copyTable('inventory'));
      const [first, second, third] = copies as [TableCopy, TableCopy, TableCopy];
      if (owner !== null) await sell(owner, 10);
      const sold = isOwned ? 10 : 0;
      for (const copy of [first, second]) await copy.write(withBooks(copy.read(), 120));
      const { columns, rows } = third.read();
      await third.write({ columns, rows: rows.filter((row) => 'item' in row && row.item === 'book') });
      const merge = { via: 'import', onNotice, unlessEdited: true } as const;
      // A sale is no edit.
      expect(await first.merge(merge)).toMatchObject({ changed: 1 });
      await expect(second.merge(merge)).rejects.toMatchObject({ code: 'changed_since' });
      expect(await stock()).toEqual({ book: 120 - sold, pen: 5 });
      expect(await third.merge(merge)).toMatchObject({ changed: 0, removed: 1 });
      expect(await stock()).toEqual({ book: 120 - sold });
      for (const copy of copies) copy.discard();
    });

    test('of undos of one edit at the same time one is made', async () => {
      const undo = (): Promise<unknown> =>
        undoEdit(under.access(), { table: 'inventory', number: 4, name: null, why: undefined, onNotice });
      const ends = await Promise.allSettled([undo(), undo(), undo(), undo()]);
      const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as Failure] : []));
      expect(refused.map(({ code, message }) => [code, message])).toEqual(
        Array.from({ length: 3 }, () => ['changed_since', 'edit 4 of book was undone by edit 5']),
      );
      expect(await stock()).toEqual({ book: 100, pen: 5 });
    });

    test('lists that are imported at the same time leave what they say, less what is sold', async () => {
      const rows = [{ line: 2, cells: ['book', '200'] }];
      const sheet = { file: 'l.csv', line: 1, header: ['item', 'quantity'], rows, hasDecimalComma: false };
      const take = (): Promise<unknown> =>
        importTable(under.access(), { table: 'inventory', sheet, replace: false, why: undefined, onNotice });
      await Promise.all([take(), take(), take(), take(), take()]);
      if (owner !== null) await sell(owner, 10);
      expect(await stock()).toEqual({ book: isOwned ? 190 : 200, pen: 5 });
    });
  });
}
