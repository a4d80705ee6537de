import path from 'node:path';
import type { Clock } from '../../../ports/clock.ts';
import { OWN_STYLE, styleOf, type CsvStyle } from '../csv/records.ts';
import { renderTable } from '../csv/render.ts';
import type { FileSystem } from '../fs.ts';
import { FolderSnapshot } from '../journal/snapshot.ts';
import { settleCopied } from '../owned.ts';
import type { Row } from '../tables/columns.ts';
import { fingerprintFile, sameFingerprint } from '../tables/fingerprint.ts';
import type { Table } from '../tables/table.ts';
import { writeFresh } from '../whole-files.ts';
import { savedMeanwhile, type FormerCsv } from './former-csvs.ts';

/** A CSV, and its form as the user has it. */
export interface CsvForm extends FormerCsv {
  readonly columns: readonly string[];
  readonly style: CsvStyle;
}

/** @throws Failure changed_since: a CSV was saved since its last version was applied */
export async function formsOf(files: FileSystem, folder: string, clock: Clock): Promise<readonly CsvForm[]> {
  const snapshot = await FolderSnapshot.open(files, folder, clock, () => 0);
  const { tables, csvs } = snapshot;
  try {
    return [formOf(tables.users, csvs.users.bytes), formOf(tables.inventory, csvs.inventory.bytes)];
  } finally {
    snapshot.close();
  }
}

function formOf<R extends Row>({ kind, columns, newest }: Table<R>, bytes: Buffer | undefined): CsvForm {
  const of = { table: kind.table, name: kind.file, columns };
  if (bytes === undefined) return { ...of, fingerprint: null, style: OWN_STYLE };
  const fingerprint = fingerprintFile(bytes);
  if (!sameFingerprint(newest, fingerprint)) throw savedMeanwhile(kind.file);
  return { ...of, fingerprint, style: styleOf(bytes) };
}

/** Writes the CSVs of a new folder in the form that they have in the folder from which it was made. */
export async function keepForms(
  files: FileSystem,
  made: string,
  clock: Clock,
  forms: readonly CsvForm[],
): Promise<void> {
  const snapshot = await FolderSnapshot.open(files, made, clock, () => 0);
  const write = async <R extends Row>({ kind, rows }: Table<R>): Promise<void> => {
    const form = forms.find(({ table }) => table === kind.table);
    if (form === undefined) return;
    const { columns, style } = form;
    await writeFresh(files, path.join(made, kind.file), renderTable({ kind, columns, rows }, style));
  };
  try {
    await write(snapshot.tables.users);
    await write(snapshot.tables.inventory);
  } finally {
    snapshot.close();
  }
  // Applies them: none of their cells has changed.
  await settleCopied({ folder: made, files, clock });
}
