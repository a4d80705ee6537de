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
    summary: 'import a CSV, all rows or none',
    prose:
      'Imports a CSV with the columns supplier_id, name and contact, in any case and any order. Suppliers are added or ' +
      'changed, never removed; columns that the file does not have keep their values. Cells may be separated by commas, ' +
      'semicolons or tabs; use --column for a column that has another name. An invalid cell is reported with its file ' +
      'and line (6), and nothing changes.',
    examples: [['orderctl supplier import suppliers.csv --dry-run', 'show what would change']],
  })
    .argument('<FILE>', 'the CSV, or - for stdin')
    .option('--column <OURS=THEIRS>', "the file's name for a column; repeatable", collect)
    .option('--dry-run', 'show what would change; change nothing')
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
        if (dryRun) printer.info('nothing changed; omit --dry-run to import the file');
      },
    );
}
