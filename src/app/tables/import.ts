import type { EditOrigin } from '../../domain/edit.ts';
import { isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { Sheet } from '../../ports/sheet.ts';
import type { CopiedTable, TableMerge } from '../../ports/table-copy.ts';
import { mergeComputed } from './merge-computed.ts';
import { planImport, type ImportPlan, type TableName } from './import-plan.ts';

export interface ImportOptions {
  readonly table: TableName;
  readonly sheet: Sheet;
  /** Remove rows that the list does not have. */
  readonly replace: boolean;
  readonly why: EditOrigin['why'];
  readonly onNotice: (notice: StoreNotice) => void;
}

/** Returns what an import would do. Changes nothing and creates no folder. @throws Failure invalid_input */
export async function previewImport(
  access: StoreAccess,
  { table, sheet, replace }: Pick<ImportOptions, 'table' | 'sheet' | 'replace'>,
): Promise<ImportPlan> {
  return planImport(table, await tableNow(access, table), sheet, { replace });
}

async function tableNow(access: StoreAccess, table: TableName): Promise<CopiedTable> {
  try {
    await using reader = await access.read();
    const rows = [...(table === 'users' ? await reader.users() : await reader.items())];
    return { columns: [], rows };
  } catch (error) {
    if (isFailure(error, 'not_found')) return { columns: [], rows: [] };
    throw error;
  }
}

/**
 * Imports a list into a table, completely or not at all. A quantity counts as the difference from the present one, so
 * that sales during the import are kept; another edit comes entirely before or after it. May run while a consumer does.
 *
 * @throws Failure invalid_input; as StoreAccess.edit
 */
export async function importTable(
  access: StoreAccess,
  options: ImportOptions,
): Promise<{ readonly merge: TableMerge; readonly unchanged: number }> {
  const { table, sheet, replace, why, onNotice } = options;
  const { merge, result } = await mergeComputed(access, {
    table,
    create: true,
    onNotice,
    async compute(copy) {
      const plan = planImport(table, copy.read(), sheet, { replace });
      await copy.write(plan);
      return { origin: { via: 'import', why }, result: plan.unchanged };
    },
  });
  return { merge, unchanged: result };
}
