import type { Command } from 'commander';
import type { Supplier, SupplierEdit } from '../../../app/suppliers/suppliers.ts';
import type * as Documents from '../../../documents/reports/suppliers.ts';
import { takingName } from '../../named.ts';
import type { Session } from '../../session.ts';

export interface Flags {
  readonly supplier?: string;
  readonly name?: string;
  readonly contact?: string;
}

export function withDetails(command: Command): Command {
  return takingName(command, '--supplier', 'id of the supplier')
    .option('--name <TEXT>', 'display name')
    .option('--contact <TEXT>', 'contact, such as a mail address');
}

/** Prints what an edit changed. */
export async function print(
  { printer, isJson }: Session,
  { supplierId, before, after }: SupplierEdit,
): Promise<void> {
  const side = (row: Supplier | null) => (row === null ? null : { name: row.name, contact: row.contact });
  const document: Documents.SupplierEdit = {
    supplier_id: supplierId,
    before: side(before),
    after: side(after),
  };
  if (isJson) await printer.data(`${JSON.stringify(document)}\n`);
  else {
    const what = before === null ? 'added' : after === null ? 'removed' : 'updated';
    await printer.text(`supplier ${supplierId} ${what}\n`);
  }
}
