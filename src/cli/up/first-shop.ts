import type { EditRequest } from '../../domain/edit.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreNotice } from '../../ports/notices.ts';

const USERS: readonly [user: string, status: 'paid' | 'unpaid'][] = [
  ['alice', 'paid'],
  ['bob', 'paid'],
  ['carol', 'paid'],
  ['dave', 'unpaid'],
];

const ITEMS: readonly [item: string, quantity: number, name: string, price: string, reorderLevel: number][] =
  [
    ['book', 20_000, 'Notebook, A5', '12.50', 500],
    ['pen', 50_000, 'Fountain pen', '29.90', 1_000],
    ['ink', 40_000, 'Ink, blue-black', '7.80', 1_000],
    ['lamp', 5_000, 'Desk lamp', '49.00', 100],
    ['desk', 500, 'Standing desk', '380.00', 20],
  ];

/** Adds a few users and items to a shop that has neither. @returns whether it had neither */
export async function fillEmptyShop(
  access: StoreAccess,
  onNotice: (notice: StoreNotice) => void,
): Promise<boolean> {
  if (await access.isThere()) {
    await using reader = await access.read();
    for (const rows of [await reader.users(), await reader.items()]) for (const _ of rows) return false;
  }
  const requests: EditRequest[] = [
    ...USERS.map(([user, status]) => ({ kind: 'user.add', user, status }) as const),
    ...ITEMS.map(
      ([item, quantity, name, price, reorderLevel]) =>
        ({ kind: 'item.add', item, quantity, name, price, reorderLevel }) as const,
    ),
  ];
  for (const request of requests) {
    await access.edit(request, { via: 'command', why: 'the first shop of orderctl up', onNotice });
  }
  return true;
}
