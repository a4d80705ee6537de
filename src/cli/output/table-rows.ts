import type * as Documents from '../../documents/table.ts';
import type { Edit } from '../../domain/edit.ts';
import { isLow, type Item, type User } from '../../domain/tables.ts';

/** The entries of `user show` and `inventory show`, keys in the order of the contract. */
export function userEntry({ user, status, extra }: User): Documents.User {
  return { user, status, extra };
}

export function itemEntry(item: Item): Documents.Item {
  return {
    item: item.item,
    quantity: item.quantity,
    name: item.name,
    price: item.price,
    reorder_level: item.reorderLevel,
    low: isLow(item),
    extra: item.extra,
  };
}

export type TableEdit = Extract<Edit, { kind: 'user' | 'item' }>;

/**
 * `{"item":"pen","before":{"quantity":50},"after":{"quantity":100}}`: quantity or status always; name, price and
 * reorder_level on both sides when one of them has it.
 */
export function editDocument(edit: TableEdit): Documents.UserEdit | Documents.ItemEdit {
  if (edit.kind === 'user') {
    const side = (user: User | null): Documents.UserEdit['before'] =>
      user === null ? null : { status: user.status };
    return { user: edit.user, before: side(edit.before), after: side(edit.after) };
  }
  const has = (key: 'name' | 'price' | 'reorderLevel'): boolean =>
    (edit.before?.[key] ?? edit.after?.[key] ?? null) !== null;
  const side = (item: Item | null): Documents.ItemEdit['before'] =>
    item === null
      ? null
      : {
          quantity: item.quantity,
          ...(has('name') ? { name: item.name } : {}),
          ...(has('price') ? { price: item.price } : {}),
          ...(has('reorderLevel') ? { reorder_level: item.reorderLevel } : {}),
        };
  return { item: edit.item, before: side(edit.before), after: side(edit.after) };
}

/** `item pen updated: quantity 50 → 100` */
export function editLine(edit: TableEdit): string {
  const subject = `${edit.kind} ${edit.kind === 'user' ? edit.user : edit.item}`;
  const before = edit.before === null ? null : fields(edit.before);
  const after = edit.after === null ? null : fields(edit.after);
  if (before === null) return `${subject} added (${listed(after ?? {})})`;
  if (after === null) return `${subject} removed (was: ${listed(before)})`;
  const changes = Object.keys(after)
    .filter((key) => before[key] !== after[key])
    .map((key) => `${key} ${before[key] ?? 'none'} → ${after[key] ?? 'none'}`);
  return changes.length === 0
    ? `${subject} unchanged (${listed(after)})`
    : `${subject} updated: ${changes.join(', ')}`;
}

/** `quantity 50 → 100`, `added, quantity 10` */
export function changeInWords(edit: TableEdit): string {
  return editLine(edit)
    .slice(`${edit.kind} ${edit.kind === 'user' ? edit.user : edit.item} `.length)
    .replace(/^updated: /, '')
    .replace(/ \((?:was: )?(.*)\)$/, ', $1')
    .replace(/^(added|removed|unchanged),/, '$1:');
}

function fields(row: User | Item): Record<string, string | number | null> {
  if ('status' in row) return { status: row.status };
  return { quantity: row.quantity, name: row.name, price: row.price, 'reorder level': row.reorderLevel };
}

function listed(values: Record<string, string | number | null>): string {
  const known = Object.entries(values).filter(([, value]) => value !== null);
  // A status says by itself what it is.
  return known.map(([key, value]) => (key === 'status' ? String(value) : `${key} ${value}`)).join(', ');
}
