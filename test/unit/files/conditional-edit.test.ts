import { expect, it } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import type { EditConditions } from '../../../src/domain/edits/conditional.ts';
import type { Item } from '../../../src/domain/tables.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const makeFolder = temporaryFolder();
const HTTP = { via: 'http' as const, onNotice: () => undefined };
const PEN: Item = { item: 'pen', quantity: 5, name: null, price: null, reorderLevel: null, extra: {} };

/** Several processes of one folder, as far as it can tell. */
async function accesses(count: number): Promise<StoreAccess[]> {
  const folder = makeFolder();
  const all = Array.from({ length: count }, () => openFolder({ folder, clock: new FakeClock() }));
  await all[0]?.edit({ kind: 'item.add', item: 'pen', quantity: 5 }, HTTP);
  return all;
}

async function stockOf(access: StoreAccess | undefined): Promise<number | undefined> {
  if (access === undefined) return undefined;
  await using reader = await access.read();
  return [...(await reader.items())].find(({ item }) => item === 'pen')?.quantity;
}

async function more(access: StoreAccess | undefined, by: number, conditions: Partial<EditConditions>) {
  if (access === undefined) throw new Error('there is no such process');
  const request = { kind: 'item.update', item: 'pen', by } as const;
  return await access.editIf(request, { row: null, key: null, ...conditions }, HTTP);
}

async function inBothWays(run: (all: StoreAccess[]) => Promise<void>): Promise<void> {
  await run(await accesses(5));
  const all = await accesses(5);
  await using owner = await all[4]?.own({ ...HTTP, purpose: 'consume', via: 'consume' });
  expect(owner).toBeDefined();
  await run(all);
}

it('a request with a name is made once, by whichever process and however often it is sent', async () => {
  await inBothWays(async (all) => {
    const made = await Promise.all(all.map((access) => more(access, 20, { key: 'k-1' })));
    expect(made.map((one) => one.isRepeat).filter((isRepeat) => !isRepeat)).toHaveLength(1);
    expect(made.map((one) => one.edit)).toEqual(Array.from({ length: 5 }, () => made[0]?.edit));
    expect(await stockOf(all[0])).toBe(25);
    // What came between makes no difference.
    await more(all[1], 1, {});
    expect(await more(all[2], 20, { key: 'k-1' })).toEqual({ edit: made[0]?.edit, isRepeat: true });
    expect(await stockOf(all[0])).toBe(26);
    await expect(more(all[0], 21, { key: 'k-1' })).rejects.toMatchObject({ code: 'already_exists' });
  });
});

it('of edits that rest on one look at a row, one is made', async () => {
  await inBothWays(async (all) => {
    const made = await Promise.allSettled(all.map((access) => more(access, 1, { row: PEN })));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of made)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'changed_since' });
    expect(await stockOf(all[0])).toBe(6);
    const now: Item = { ...PEN, quantity: 6, extra: { shelf: 'A' } };
    await expect(more(all[0], 1, { row: now })).rejects.toMatchObject({ code: 'changed_since' });
  });
});

it('a named request that was made is not refused for what it changed itself, and one that failed may come again', async () => {
  const [access] = await accesses(1);
  await more(access, 1, { key: 'k-1', row: PEN });
  expect(await more(access, 1, { key: 'k-1', row: PEN })).toMatchObject({ isRepeat: true });
  expect(await more(access, 1, { key: 'k-1', row: 'another' })).toMatchObject({ isRepeat: true });
  await expect(more(access, 1, { row: 'another' })).rejects.toMatchObject({ code: 'changed_since' });
  await expect(more(access, -99, { key: 'k-2' })).rejects.toMatchObject({ code: 'invalid_value' });
  await more(access, 100, {});
  expect(await more(access, -99, { key: 'k-2' })).toMatchObject({ isRepeat: false });
  expect(await stockOf(access)).toBe(7);
});
