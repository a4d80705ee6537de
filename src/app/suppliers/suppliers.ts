import { checkText } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import { isName, NAME_RULE } from '../../domain/names.ts';
import type { Sheet } from '../../ports/sheet.ts';
import type { ListRow, Lists } from '../../ports/whole/lists.ts';
import { plainColumn } from '../tables/rename-columns.ts';

/** The first column names the row. */
export const SUPPLIER_COLUMNS = ['supplier_id', 'name', 'contact'] as const;

export interface Supplier {
  readonly supplierId: string;
  readonly name: string | null;
  readonly contact: string | null;
}

/** Details of a supplier. A missing one stays as it is, an empty one is removed. */
export type SupplierDetails = Partial<Record<'name' | 'contact', string>>;

export interface SupplierEdit {
  readonly supplierId: string;
  readonly before: Supplier | null;
  readonly after: Supplier | null;
}

/** All suppliers, by id. @throws Failure as the lists */
export async function suppliers(lists: Lists): Promise<readonly Supplier[]> {
  const rows = await lists.rows('suppliers');
  return rows.map(supplierOf).sort((a, b) => (a.supplierId < b.supplierId ? -1 : 1));
}

/** @throws Failure invalid_value, already_exists */
export function addSupplier(lists: Lists, id: string, details: SupplierDetails): Promise<SupplierEdit> {
  return editSupplier(lists, id, (row) => {
    if (row !== null) {
      throw new Failure('already_exists', `supplier ${id} already exists`, {
        fix: { kind: 'change_supplier', supplier: id },
      });
    }
    return changed(id, {}, details);
  });
}

/** @throws Failure invalid_value, not_found */
export function updateSupplier(lists: Lists, id: string, details: SupplierDetails): Promise<SupplierEdit> {
  return editSupplier(lists, id, (row) => changed(id, row ?? unknown(id), details));
}

/** @throws Failure not_found */
export function removeSupplier(lists: Lists, id: string): Promise<SupplierEdit> {
  return editSupplier(lists, id, (row) => (row === null ? unknown(id) : null));
}

/** @throws Failure not_found */
export async function checkSupplier(lists: Lists, id: string): Promise<void> {
  const rows = await lists.rows('suppliers');
  if (!rows.some((row) => row.supplier_id === id)) unknown(id);
}

function unknown(id: string): never {
  throw new Failure('not_found', `supplier ${id} does not exist`, { fix: { kind: 'show_suppliers' } });
}

async function editSupplier(
  lists: Lists,
  supplierId: string,
  edit: (row: ListRow | null) => ListRow | null,
): Promise<SupplierEdit> {
  let sides: { readonly before: ListRow | null; readonly after: ListRow | null } = {
    before: null,
    after: null,
  };
  await lists.change('suppliers', (rows) => {
    const before = rows.find((row) => row.supplier_id === supplierId) ?? null;
    const after = edit(before);
    sides = { before, after };
    if (before === null) return after === null ? rows : [...rows, after];
    return rows.flatMap((row) => (row !== before ? [row] : after === null ? [] : [after]));
  });
  const [before, after] = [sides.before, sides.after].map((row) => (row === null ? null : supplierOf(row)));
  return { supplierId, before: before ?? null, after: after ?? null };
}

/** @throws Failure invalid_value */
function changed(id: string, before: ListRow, details: SupplierDetails): ListRow {
  if (!isName(id)) {
    throw new Failure('invalid_value', `supplier id ${JSON.stringify(id)} is not allowed`, {
      fix: `use ${NAME_RULE}`,
    });
  }
  if (details.name !== undefined) checkText('name', details.name);
  // A phone number that starts with + is not a formula.
  if (details.contact !== undefined) checkText('contact', details.contact.replace(/^\+(?=[\d ()/.-]+$)/, ''));
  return { ...before, supplier_id: id, ...details };
}

function supplierOf({ supplier_id = '', name = '', contact = '' }: ListRow): Supplier {
  return {
    supplierId: supplier_id,
    name: name === '' ? null : name,
    contact: contact === '' ? null : contact,
  };
}

export interface SupplierImport {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

/**
 * Imports a list of suppliers, completely or not at all: they are added and changed, none is removed. Columns that the
 * list does not have stay as they are.
 *
 * @throws Failure invalid_input with file and line
 */
export async function importSuppliers(
  lists: Lists,
  sheet: Sheet,
  { dryRun }: { readonly dryRun: boolean },
): Promise<SupplierImport> {
  const wanted = wantedOf(sheet);
  let counts: SupplierImport = { added: 0, changed: 0, unchanged: 0 };
  const change = (rows: readonly ListRow[]): readonly ListRow[] => {
    const known = new Map(rows.map((row) => [row.supplier_id, row]));
    const isSame = (row: ListRow): boolean =>
      Object.entries(row).every(([name, cell]) => (known.get(row.supplier_id)?.[name] ?? '') === cell);
    const added = wanted.filter((row) => !known.has(row.supplier_id));
    const unchanged = wanted.filter((row) => known.has(row.supplier_id) && isSame(row)).length;
    counts = { added: added.length, changed: wanted.length - added.length - unchanged, unchanged };
    const given = new Map(wanted.map((row) => [row.supplier_id, row]));
    return [...rows.map((row) => ({ ...row, ...given.get(row.supplier_id) })), ...added];
  };
  if (dryRun) change(await lists.rows('suppliers'));
  else await lists.change('suppliers', change);
  return counts;
}

/** The columns of the list of suppliers, in any case; other columns are left out. */
function wantedOf({ file, line: headerLine, header, rows }: Sheet): readonly ListRow[] {
  const names = header.map(plainColumn);
  const wrong = (line: number, message: string, fix: string): never => {
    throw new Failure('invalid_input', `${file}:${line}: ${message}`, { fix, context: { file, line } });
  };
  if (!names.includes('supplier_id'))
    wrong(headerLine, 'no column is called supplier_id', `columns are ${SUPPLIER_COLUMNS.join(', ')}`);
  const seen = new Set<string>();
  return rows.map(({ line, cells }) => {
    const cell = (name: string): string | undefined => cells[names.indexOf(name)]?.trim();
    const id = cell('supplier_id') ?? '';
    if (seen.has(id)) wrong(line, `${id} is listed twice`, 'remove one of them');
    seen.add(id);
    const [name, contact] = [cell('name'), cell('contact')];
    try {
      return changed(
        id,
        {},
        {
          ...(name === undefined ? {} : { name }),
          ...(contact === undefined ? {} : { contact }),
        },
      );
    } catch (error) {
      return wrong(
        line,
        error instanceof Error ? error.message : String(error),
        'correct it: nothing was changed',
      );
    }
  });
}
