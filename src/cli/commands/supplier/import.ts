import type { Command } from 'commander';
import { importSuppliers, SUPPLIER_COLUMNS } from '../../../app/suppliers/suppliers.ts';
import { openStoreAdmin, readSpreadsheet } from '../../../compose.ts';
import type { SupplierImport } from '../../../documents/reports/suppliers.ts';
import { describe } from '../../help.ts';
import { readBytes } from '../../input/bytes.ts';
import { columnNames } from '../../tables/column-names.ts';
import { collect } from '../../usage.ts';
import type { Session } from '../../session.ts';

export function registerImport(supplier: Command, session: Session): void {
  describe(supplier.command('import'), {
    summary: 'take in a list from a spreadsheet, as a whole or not at all',
    prose:
      'Takes in a CSV with the columns supplier_id, name and contact, in any case and any order. Suppliers are added or ' +
      'changed, none is removed; what the list has no column for stays. Cells may be separated by commas, semicolons or ' +
      'tabs; --column names a column that is called otherwise. A bad cell is named by file and line (6), and then ' +
      'nothing changes.',
    examples: [['orderctl supplier import suppliers.csv --dry-run', 'what would be added and changed']],
  })
    .argument('<FILE>', 'the CSV, or - for stdin')
    .option('--column <OURS=THEIRS>', 'what the list calls a column of ours; may be repeated', collect)
    .option('--dry-run', 'show what would change, and change nothing')
    .action(
      async (file: string, { column = [], dryRun = false }: { column?: string[]; dryRun?: boolean }) => {
        const names = columnNames(SUPPLIER_COLUMNS, column);
        const { printer, isJson, settings } = session;
        const bytes = await readBytes(file, { flag: 'FILE', what: 'a CSV' });
        const { renameColumns } = await import('../../../app/tables/rename-columns.ts');
        const sheet = renameColumns(await readSpreadsheet(bytes, file === '-' ? '<stdin>' : file), names);
        const counts = await importSuppliers((await openStoreAdmin(settings)).lists, sheet, { dryRun });
        const document: SupplierImport = { ...counts, dry_run: dryRun };
        if (isJson) await printer.data(`${JSON.stringify(document)}\n`);
        else {
          const { added, changed, unchanged } = counts;
          await printer.text(`suppliers: ${added} added, ${changed} changed, ${unchanged} unchanged\n`);
        }
        if (dryRun) printer.info('nothing changed; leave out --dry-run to take the list in');
      },
    );
}
