import type { Command } from 'commander';
import { openStore, readSpreadsheet } from '../../compose.ts';
import { checkWhy } from '../../domain/edit.ts';
import { describe } from '../help.ts';
import { collect } from '../usage.ts';
import { columnNames } from './column-names.ts';
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
    ? 'item, and any of quantity, name, category, price and reorder_level; a new item needs a quantity'
    : 'user and status, and for mails email and notify';
  describe(noun.command('import'), {
    summary: 'take in a list from a spreadsheet, as a whole or not at all',
    prose:
      `Takes in a CSV. Its first line names the columns: ${columns}. Other columns are kept as they are, and what the ` +
      'list has no column for stays. Cells may be separated by commas, semicolons or tabs, and names of columns be in ' +
      `any case; --column names one that is called otherwise. Rows that are not in the list stay, unless --replace removes them. Every bad cell is named (6), and then ` +
      `nothing changes. "orderctl ${noun.name()} undo" takes an import back. ${BESIDE}`,
    examples: [
      [`${command} ${isStock ? 'prices' : 'users'}.csv --dry-run`, 'what would be added and changed'],
      [
        `${command} export.csv --column ${isStock ? 'item=SKU --column quantity=Stock' : 'user=Login'}`,
        'columns as another program calls them',
      ],
    ],
  })
    .argument('<FILE>', 'the CSV, or - for stdin')
    .option('--column <OURS=THEIRS>', 'what the list calls a column of ours; may be repeated', collect)
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--replace', 'remove rows that are not in the list')
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
    if (edits.length > 0) printer.info('nothing changed; leave out --dry-run to take the list in');
    return;
  }
  const onNotice = (notice: Parameters<typeof printNotice>[1]): void => printNotice(printer, notice);
  const { merge, unchanged } = await importTable(access, { table, sheet, replace, why, onNotice });
  await printMerge(session, { table, merge, more: { dry_run: false, unchanged } });
  if (merge.removed > 0) {
    printer.info(`to take that back: orderctl ${table === 'users' ? 'user' : 'inventory'} undo`);
  }
}
