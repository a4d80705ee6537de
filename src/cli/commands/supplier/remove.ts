import type { Command } from 'commander';
import { checkSupplier, removeSupplier } from '../../../app/suppliers/suppliers.ts';
import { openStoreAdmin } from '../../../compose.ts';
import { confirm } from '../../ask.ts';
import { describe } from '../../help.ts';
import { nameNeeded, takingName } from '../../named.ts';
import type { Session } from '../../session.ts';
import { print, type Flags } from './details.ts';

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
