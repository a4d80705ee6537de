import type { Command } from 'commander';
import { updateSupplier } from '../../../app/suppliers/suppliers.ts';
import { openStoreAdmin } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { describe } from '../../help.ts';
import { nameNeeded } from '../../named.ts';
import type { Session } from '../../session.ts';
import { print, withDetails, type Flags } from './details.ts';

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
