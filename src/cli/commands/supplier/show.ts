import type { Command } from 'commander';
import { suppliers } from '../../../app/suppliers/suppliers.ts';
import { openStoreAdmin } from '../../../compose.ts';
import type { SupplierList } from '../../../documents/reports/suppliers.ts';
import { Failure } from '../../../domain/failure.ts';
import { describe } from '../../help.ts';
import { nameGiven, takingName } from '../../named.ts';
import { openCsv } from '../../output/csv.ts';
import { printTable } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';

export function registerShow(supplier: Command, session: Session): void {
  takingName(
    describe(supplier.command('show'), {
      alias: 'list',
      summary: 'show all suppliers, or one',
      isTable: true,
      prose:
        'Shows suppliers, sorted by id. With --supplier, shows only that one; exit code 3 if it does not exist.',
      examples: [['orderctl supplier show -o csv', 'for a spreadsheet']],
    }),
    '--supplier',
    'only this supplier',
  ).action(async (given: string | undefined, flags: { supplier?: string }) => {
    await show(session, nameGiven('--supplier', given, flags.supplier));
  });
}

async function show({ printer, isJson, isCsv, settings }: Session, only: string | undefined): Promise<void> {
  const all = await suppliers((await openStoreAdmin(settings)).lists);
  const rows: SupplierList['suppliers'] = all
    .filter(({ supplierId }) => only === undefined || supplierId === only)
    .map(({ supplierId, name, contact }) => ({ supplier_id: supplierId, name, contact }));
  if (only !== undefined && rows.length === 0) {
    throw new Failure('not_found', `supplier ${only} does not exist`, { fix: 'see: orderctl supplier show' });
  }
  if (isJson) await printer.data(`${JSON.stringify({ suppliers: rows } satisfies SupplierList)}\n`);
  else if (isCsv) await (await openCsv(printer, ['supplier_id', 'name', 'contact']))(rows);
  else if (rows.length === 0)
    printer.info('no suppliers yet; add one with: orderctl supplier add SUP-1 --name Paper');
  else {
    await printTable(printer, rows, [
      { title: 'SUPPLIER', cell: (row) => row.supplier_id },
      { title: 'NAME', cell: (row) => row.name ?? '' },
      { title: 'CONTACT', cell: (row) => row.contact ?? '' },
    ]);
  }
}
