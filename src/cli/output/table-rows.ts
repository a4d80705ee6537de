import type { TableEdit } from '../../documents/write/table.ts';
import { categoryOf, type Item, type User } from '../../domain/tables.ts';

/** `item pen updated: quantity 50 → 100`. @param isDry `item pen would be updated: …` */
export function editLine(edit: TableEdit, isDry = false): string {
  const be = isDry ? 'would be ' : '';
  const subject = `${edit.kind} ${edit.kind === 'user' ? edit.user : edit.item}`;
  const before = edit.before === null ? null : fields(edit.before);
  const after = edit.after === null ? null : fields(edit.after);
  if (before === null) return `${subject} ${be}added (${listed(after ?? {})})`;
  if (after === null) return `${subject} ${be}removed (was: ${listed(before)})`;
  const changes = Object.keys(after)
    .filter((key) => before[key] !== after[key])
    .map((key) => `${key} ${before[key] ?? 'none'} → ${after[key] ?? 'none'}`);
  return changes.length === 0
    ? `${subject} unchanged (${listed(after)})`
    : `${subject} ${be}updated: ${changes.join(', ')}`;
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
  const { quantity, name, price, reorderLevel } = row;
  return { quantity, name, category: categoryOf(row), price, 'reorder level': reorderLevel };
}

function listed(values: Record<string, string | number | null>): string {
  const known = Object.entries(values).filter(([, value]) => value !== null);
  // A status says by itself what it is.
  return known.map(([key, value]) => (key === 'status' ? String(value) : `${key} ${value}`)).join(', ');
}
