import type { Command } from 'commander';
import {
  addSupplier,
  checkSupplier,
  removeSupplier,
  updateSupplier,
  type Supplier,
  type SupplierEdit,
} from '../../../app/suppliers/suppliers.ts';
import { openStoreAdmin } from '../../../compose.ts';
import type * as Documents from '../../../documents/reports/suppliers.ts';
import { Failure } from '../../../domain/failure.ts';
import { confirm } from '../../ask.ts';
import { describe } from '../../help.ts';
import { nameNeeded, takingName } from '../../named.ts';
import { nameOf } from '../../parse.ts';
import type { Session } from '../../session.ts';

interface Flags {
  readonly supplier?: string;
  readonly name?: string;
  readonly contact?: string;
}

export function registerAdd(supplier: Command, session: Session): void {
  const add = describe(supplier.command('add'), {
    summary: 'add a supplier',
    prose:
      'Adds a supplier, optionally with a name and a contact. Exit code 4 if the supplier exists already.',
    examples: [['orderctl supplier add SUP-1 --name Paper', 'with a name']],
  });
  withDetails(add).action(async (given: string | undefined, { supplier: byFlag, ...details }: Flags) => {
    const id = nameOf('--supplier', nameNeeded('--supplier', given, byFlag));
    await print(session, await addSupplier((await openStoreAdmin(session.settings)).lists, id, details));
  });
}

export function registerUpdate(supplier: Command, session: Session): void {
  const update = describe(supplier.command('update'), {
    summary: 'change the details of a supplier',
    prose:
      "Changes name or contact; an empty text unsets one: --contact ''. Exit code 3 if the supplier does not exist.",
    examples: [['orderctl supplier update SUP-1 --contact sales@paper.example', 'change the contact']],
  });
  withDetails(update).action(async (given: string | undefined, { supplier: byFlag, ...details }: Flags) => {
    const id = nameNeeded('--supplier', given, byFlag);
    if (Object.keys(details).length === 0)
      throw new Failure('usage', 'nothing to change', { fix: 'add --name or --contact' });
    await print(session, await updateSupplier((await openStoreAdmin(session.settings)).lists, id, details));
  });
}

export function registerRemove(supplier: Command, session: Session): void {
  takingName(
    describe(supplier.command('remove'), {
      alias: 'delete',
      summary: 'remove a supplier',
      prose:
        'Removes a supplier; its past deliveries stay. Asks for confirmation; --yes skips it, and is required without a ' +
        'terminal. Exit code 3 if the supplier does not exist.',
      examples: [['orderctl supplier remove SUP-1 --yes', 'without confirmation']],
    }),
    '--supplier',
    'id of the supplier',
  )
    .option('-y, --yes', 'do not ask')
    .action(async (given: string | undefined, flags: Flags & { yes?: true }) => {
      const id = nameNeeded('--supplier', given, flags.supplier);
      const { lists } = await openStoreAdmin(session.settings);
      if (flags.yes !== true) await checkSupplier(lists, id);
      const isSure = await confirm(`Remove supplier ${id}?`, flags.yes === true);
      if (isSure) await print(session, await removeSupplier(lists, id));
      else session.printer.info('nothing changed');
    });
}

function withDetails(command: Command): Command {
  return takingName(command, '--supplier', 'id of the supplier')
    .option('--name <TEXT>', 'display name')
    .option('--contact <TEXT>', 'contact, such as a mail address');
}

async function print(
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
