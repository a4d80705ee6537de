import type { EditOrigin } from '../../domain/edit.ts';
import { isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { TableCopy, TableMerge } from '../../ports/table-copy.ts';
import type { TableName } from './import-plan.ts';

/** Each failed attempt means that another edit was made. */
const ATTEMPTS = 50;

interface Computed<R> {
  readonly table: TableName;
  /** Create the table if it does not exist. */
  readonly create: boolean;
  readonly onNotice: (notice: StoreNotice) => void;
  /** Writes into the copy; its failures are passed on. Called again with another copy after a conflict. */
  readonly compute: (copy: TableCopy) => Promise<{ readonly origin: EditOrigin; readonly result: R }>;
}

/**
 * Merges changes that are computed from a copy of a table. If another edit changes one of these rows meanwhile, they
 * are computed again, so that the edits come one after the other. Sales in between are kept.
 *
 * @throws Failure as `compute` and TableCopy.merge
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

/** @returns null: another edit was made meanwhile */
async function unlessEdited(
  copy: TableCopy,
  options: Parameters<TableCopy['merge']>[0],
  isLast: boolean,
): Promise<TableMerge | null> {
  try {
    return await copy.merge({ ...options, unlessEdited: true });
  } catch (error) {
    if (isLast || !isFailure(error, 'changed_since')) throw error;
    return null;
  }
}
