import type { Edit } from '../../domain/edit.ts';
import { detailsByColumn, isLow, NAMED_DETAILS, type Item, type User } from '../../domain/tables.ts';
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
    ...detailsByColumn(item),
    low: isLow(item, lowStock),
    extra: item.extra,
  };
}

export type TableEdit = Extract<Edit, { kind: 'user' | 'item' }>;

/**
 * `{"item":"pen","before":{"quantity":50},"after":{"quantity":100}}`: always with quantity or status; with a
 * detail in both states if either has it.
 */
export function editDocument(edit: TableEdit): Documents.UserEdit | Documents.ItemEdit {
  if (edit.kind === 'user') {
    const side = (user: User | null): Documents.UserEdit['before'] =>
      user === null ? null : { status: user.status };
    return { user: edit.user, before: side(edit.before), after: side(edit.after) };
  }
  const given = NAMED_DETAILS.filter(({ of }) =>
    [edit.before, edit.after].some((item) => item !== null && of(item) !== null),
  );
  const side = (item: Item | null): Documents.ItemEdit['before'] => {
    if (item === null) return null;
    const details = given.map(({ column, of }) => [column, of(item)] as const);
    return { quantity: item.quantity, ...(Object.fromEntries(details) as object) };
  };
  return { item: edit.item, before: side(edit.before), after: side(edit.after) };
}
