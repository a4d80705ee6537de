import type { EditOrigin } from '../../domain/edit.ts';
import { isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { TableCopy, TableMerge } from '../../ports/table-copy.ts';
import type { TableName } from './import-plan.ts';

/** Each is lost to another edit that was made. */
const ATTEMPTS = 50;

interface Computed<R> {
  readonly table: TableName;
  /** Makes the table where there is none. */
  readonly create: boolean;
  readonly onNotice: (notice: StoreNotice) => void;
  /** Writes into the copy; what it throws is thrown. Runs again on another copy. */
  readonly compute: (copy: TableCopy) => Promise<{ readonly origin: EditOrigin; readonly result: R }>;
}

/**
 * Merges what is computed from a copy of a table. Where another edit changes one of its rows at the same time it is computed
 * again, so that the two come one after the other; sales in between are kept.
 *
 * @throws Failure as `compute`, and as `merge` of TableCopy
 */
export async function mergeComputed<R>(
  access: StoreAccess,
  { table, create, onNotice, compute }: Computed<R>,
): Promise<{ readonly merge: TableMerge; readonly result: R }> {
  for (let attempt = 1; ; attempt++) {
    const copy = await access.copyTable(table, { create, onNotice });
    try {
      const { origin, result } = await compute(copy);
      const merge = await unlessEdited(copy, { ...origin, onNotice }, attempt === ATTEMPTS);
      if (merge !== null) return { merge, result };
    } finally {
      copy.discard();
    }
  }
}

/** @returns null: another edit came between */
async function unlessEdited(
  copy: TableCopy,
  how: Parameters<TableCopy['merge']>[0],
  isLast: boolean,
): Promise<TableMerge | null> {
  try {
    return await copy.merge({ ...how, unlessEdited: true });
  } catch (error) {
    if (isLast || !isFailure(error, 'changed_since')) throw error;
    return null;
  }
}
