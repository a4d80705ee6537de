import type { Command } from 'commander';
import { addSupplier } from '../../../app/suppliers/suppliers.ts';
import { openStoreAdmin } from '../../../compose.ts';
import { describe } from '../../help.ts';
import { nameNeeded } from '../../named.ts';
import { nameOf } from '../../parse.ts';
import type { Session } from '../../session.ts';
import { print, withDetails, type Flags } from './details.ts';

export function registerAdd(supplier: Command, session: Session): void {
  const add = describe(supplier.command('add'), {
    summary: 'add a supplier',
    prose:
      'Adds a supplier, optionally with a name and a contact. Exit code 4 if the supplier already exists.',
    examples: [['orderctl supplier add SUP-1 --name Paper', 'with a name']],
  });
  withDetails(add).action(async (given: string | undefined, { supplier: byFlag, ...details }: Flags) => {
    const id = nameOf('--supplier', nameNeeded('--supplier', given, byFlag));
    await print(session, await addSupplier((await openStoreAdmin(session.settings)).lists, id, details));
  });
}
