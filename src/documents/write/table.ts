import type { Edit } from '../../domain/edit.ts';
import { categoryOf, isLow, type Item, type User } from '../../domain/tables.ts';
import type * as Documents from '../table.ts';

/* The entries of `user show` and `inventory show`, with their keys in the order of the contract. */
export function userEntry({ user, status, extra }: User): Documents.User {
  return { user, status, extra };
}

/** @param lowStock the reorder level of items that have none */
export function itemEntry(item: Item, lowStock: number): Documents.Item {
  return {
    item: item.item,
    quantity: item.quantity,
    name: item.name,
    price: item.price,
    reorder_level: item.reorderLevel,
    low: isLow(item, lowStock),
    extra: item.extra,
  };
}

export type TableEdit = Extract<Edit, { kind: 'user' | 'item' }>;

/**
 * `{"item":"pen","before":{"quantity":50},"after":{"quantity":100}}`: always with quantity or status; with name,
 * category, price and reorder_level in both states if either has them.
 */
export function editDocument(edit: TableEdit): Documents.UserEdit | Documents.ItemEdit {
  if (edit.kind === 'user') {
    const side = (user: User | null): Documents.UserEdit['before'] =>
      user === null ? null : { status: user.status };
    return { user: edit.user, before: side(edit.before), after: side(edit.after) };
  }
  const has = (key: 'name' | 'price' | 'reorderLevel'): boolean =>
    (edit.before?.[key] ?? edit.after?.[key] ?? null) !== null;
  const hasCategory = [edit.before, edit.after].some((item) => item !== null && categoryOf(item) !== null);
  const side = (item: Item | null): Documents.ItemEdit['before'] =>
    item === null
      ? null
      : {
          quantity: item.quantity,
          ...(has('name') ? { name: item.name } : {}),
          ...(hasCategory ? { category: categoryOf(item) } : {}),
          ...(has('price') ? { price: item.price } : {}),
          ...(has('reorderLevel') ? { reorder_level: item.reorderLevel } : {}),
        };
  return { item: edit.item, before: side(edit.before), after: side(edit.after) };
}
