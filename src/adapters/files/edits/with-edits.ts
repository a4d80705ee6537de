import type { Clock } from '../../../ports/clock.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import type { FileSystem } from '../fs.ts';
import { FolderSnapshot, type FoundCsv } from '../journal/snapshot.ts';
import { INVENTORY, USERS, type Row, type TableKind } from '../tables/columns.ts';
import type { Table } from '../tables/table.ts';
import { brokenNotice, editLines, findHandEdit } from './hand-edit-look.ts';

/**
 * Opens a folder, including the hand edits that are not applied yet.
 *
 * @returns `isEdited`: its tables differ from what is committed
 * @param onNotice receives broken files, whose last good values are read instead, and saves that do not count
 * @throws Failure corrupt_file when a broken file has no last good values yet; corrupt_state
 */
export async function openWithEdits(
  files: FileSystem,
  folder: string,
  clock: Clock,
  onNotice?: (notice: StoreNotice) => void,
): Promise<{ readonly snapshot: FolderSnapshot; readonly isEdited: boolean }> {
  let notices: StoreNotice[] = [];
  let isEdited = false;
  const onEdit = (): void => void (isEdited = true);
  const snapshot = await FolderSnapshot.open(files, folder, clock, (found, isLast) => {
    notices = [];
    isEdited = false;
    return mergeHandEdits(found, { isLast, onEdit, onNotice: (notice) => notices.push(notice) });
  });
  for (const notice of notices) onNotice?.(notice);
  return { snapshot, isEdited };
}

/** @returns 0, or the milliseconds after which to read the folder again, because an editor is at work */
function mergeHandEdits(found: FolderSnapshot, options: Parameters<typeof merge>[4]): number {
  const { tables, csvs } = found;
  return (
    merge(USERS, tables.users, csvs.users, found, options) ||
    merge(INVENTORY, tables.inventory, csvs.inventory, found, options)
  );
}

function merge<R extends Row>(
  kind: TableKind<R>,
  table: Table<R>,
  csv: FoundCsv,
  snapshot: FolderSnapshot,
  {
    isLast,
    onEdit,
    onNotice,
  }: { isLast: boolean; onEdit: () => void; onNotice: (notice: StoreNotice) => void },
): number {
  const found = findHandEdit(csv.bytes, csv.name, kind, table, snapshot.view(kind.table), csv.facts);
  if (found.kind === 'missing') return 0;
  if (found.kind === 'known') {
    // A file that a crash has left, or that an owner is about to replace, is older than the newest version.
    if (!found.newest && found.isSavedAfter) onNotice({ kind: 'file_outdated', file: csv.name });
    return 0;
  }
  if (csv.unsettledMs > 0 && !isLast) return csv.unsettledMs;
  if (found.kind === 'broken') {
    // A folder in use has last good values; a first file has none.
    if (snapshot.loaded === undefined) throw found.failure;
    onNotice(brokenNotice(csv.name, found.failure));
    return 0;
  }
  if (found.edit.kind === 'set_aside') {
    onNotice({ kind: 'file_set_aside', file: csv.name, keptAs: null, why: found.edit.why });
  } else {
    onEdit();
    for (const line of editLines(kind, found.edit)) snapshot.tables.apply(line);
  }
  return 0;
}
