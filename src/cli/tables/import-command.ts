import type { Command } from 'commander';
import { openStore, readSpreadsheet } from '../../compose.ts';
import { checkWhy } from '../../domain/edit.ts';
import { NAMED_DETAILS } from '../../domain/tables.ts';
import { describe } from '../help.ts';
import { collect } from '../usage.ts';
import { columnNames } from './column-names.ts';
import { listed } from '../output/text.ts';
import { printNotice } from '../output/store-notices.ts';
import type { Session } from '../session.ts';
import { BESIDE } from './edit-command.ts';
import { WHY, type WhyFlag } from './why.ts';

type Table = 'users' | 'inventory';

interface ImportFlags extends WhyFlag {
  column?: string[];
  dryRun?: true;
  replace?: true;
}

/** `user import` and `inventory import`. */
export function registerImport(noun: Command, session: Session, table: Table): void {
  const command = `orderctl ${noun.name()} import`;
  const isStock = table === 'inventory';
  const columns = isStock
    ? `item, and any of ${listed(['quantity', ...NAMED_DETAILS.map(({ column }) => column)], 'and')}; a new item needs a quantity`
    : 'user and status, and for mail also email and notify';
  describe(noun.command('import'), {
    summary: 'import a CSV, all rows or none',
    prose:
      `Imports a CSV. Its first line names the columns: ${columns}. Other columns are stored as they are; columns that ` +
      'the file does not have keep their values. Cells may be separated by commas, semicolons or tabs, and column names ' +
      'may be in any case; use --column for a column that has another name. Rows that are not in the file stay, unless ' +
      `--replace removes them. If any cell is invalid, all invalid cells are listed, nothing changes, and the exit code is 6. ` +
      `"orderctl ${noun.name()} undo" reverts an import. ${BESIDE}`,
    examples: [
      [`${command} ${isStock ? 'prices' : 'users'}.csv --dry-run`, 'show what would change'],
      [
        `${command} export.csv --column ${isStock ? 'item=SKU --column quantity=Stock' : 'user=Login'}`,
        'with the column names of another program',
      ],
    ],
  })
    .argument('<FILE>', 'the CSV, or - for stdin')
    .option('--column <OURS=THEIRS>', "the file's name for a column; repeatable", collect)
    .option('--dry-run', 'show what would change; change nothing')
    .option('--replace', 'remove rows that are not in the file')
    .option(...WHY)
    .action(async (file: string, flags: ImportFlags) => {
      await importList(session, table, file, flags);
    });
}

async function importList(session: Session, table: Table, file: string, flags: ImportFlags): Promise<void> {
  const { printer } = session;
  const { why, replace = false, dryRun = false } = flags;
  if (why !== undefined) checkWhy(why);
  const [
    { readBytes },
    { asMerge, printMerge },
    { importTable, previewImport },
    { COLUMNS, CONTACT_COLUMNS },
    { renameColumns },
  ] = await Promise.all([
    import('../input/bytes.ts'),
    import('./print-merge.ts'),
    import('../../app/tables/import.ts'),
    import('../../app/tables/import-plan.ts'),
    import('../../app/tables/rename-columns.ts'),
  ]);
  const names = columnNames(
    [...COLUMNS[table], ...(table === 'users' ? CONTACT_COLUMNS : [])],
    flags.column ?? [],
  );
  const name = file === '-' ? '<stdin>' : file;
  const given = await readSpreadsheet(await readBytes(file, { flag: 'FILE', what: 'a CSV' }), name);
  const sheet = renameColumns(given, names);
  const access = await openStore(session.settings);
  if (dryRun) {
    const { edits, unchanged } = await previewImport(access, { table, sheet, replace });
    await printMerge(session, { table, merge: asMerge(edits), more: { dry_run: true, unchanged } });
    if (edits.length > 0) printer.info('nothing changed; omit --dry-run to import the file');
    return;
  }
  const onNotice = (notice: Parameters<typeof printNotice>[1]): void => printNotice(printer, notice);
  const { merge, unchanged } = await importTable(access, { table, sheet, replace, why, onNotice });
  await printMerge(session, { table, merge, more: { dry_run: false, unchanged } });
  if (merge.removed > 0) {
    printer.info(`to undo this: orderctl ${table === 'users' ? 'user' : 'inventory'} undo`);
  }
}
