import type { TableEdit } from '../../documents/write/table.ts';
import { NAMED_DETAILS, type Item, type User } from '../../domain/tables.ts';

/** `item pen updated: quantity 50 → 100`. @param isDry `item pen would be updated: …` */
export function editLine(edit: TableEdit, isDry = false): string {
  const subject = `${edit.kind} ${edit.kind === 'user' ? edit.user : edit.item}`;
  const { verb, values } = changeOf(edit);
  if (verb === 'unchanged') return `${subject} unchanged (${values})`;
  const done = `${subject} ${isDry ? 'would be ' : ''}${verb}`;
  if (verb === 'updated') return `${done}: ${values}`;
  return verb === 'added' ? `${done} (${values})` : `${done} (was: ${values})`;
}

/** `quantity 50 → 100`, `added: quantity 10` */
export function changeInWords(edit: TableEdit): string {
  const { verb, values } = changeOf(edit);
  return verb === 'updated' ? values : `${verb}: ${values}`;
}

interface Change {
  readonly verb: 'added' | 'removed' | 'updated' | 'unchanged';
  /** What changed, from → to; of a row that was added, removed or left as it is, what it has or had. */
  readonly values: string;
}

function changeOf({ before: from, after: to }: TableEdit): Change {
  const before = from === null ? null : fields(from);
  const after = to === null ? null : fields(to);
  if (before === null) return { verb: 'added', values: listed(after ?? {}) };
  if (after === null) return { verb: 'removed', values: listed(before) };
  const changes = Object.keys(after)
    .filter((key) => before[key] !== after[key])
    .map((key) => `${key} ${before[key] ?? 'none'} → ${after[key] ?? 'none'}`);
  return changes.length === 0
    ? { verb: 'unchanged', values: listed(after) }
    : { verb: 'updated', values: changes.join(', ') };
}

function fields(row: User | Item): Record<string, string | number | null> {
  if ('status' in row) return { status: row.status };
  const details = NAMED_DETAILS.map(({ label, of }) => [label, of(row)] as const);
  return { quantity: row.quantity, ...Object.fromEntries(details) };
}

function listed(values: Record<string, string | number | null>): string {
  const known = Object.entries(values).filter(([, value]) => value !== null);
  // A status needs no label.
  return known.map(([key, value]) => (key === 'status' ? String(value) : `${key} ${value}`)).join(', ');
}
