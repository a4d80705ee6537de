import type { Command } from 'commander';
import { BESIDE, removeRow } from '../../tables/edit-command.ts';
import { WHY, type WhyFlag } from '../../tables/why.ts';
import { describe } from '../../help.ts';
import { nameNeeded, takingName } from '../../named.ts';
import type { Session } from '../../session.ts';

export function registerRemove(inventory: Command, session: Session): void {
  takingName(
    describe(inventory.command('remove'), {
      alias: 'delete',
      summary: 'remove an item',
      prose:
        'Removes an item with its stock; past decisions stay. Asks for confirmation; --yes skips it, and is required ' +
        `without a terminal. Exit code 3 if the item does not exist. ${BESIDE}`,
      examples: [['orderctl inventory remove --item pen --yes', 'without confirmation']],
    }),
    '--item',
    'name of the item',
  )
    .option('-y, --yes', 'do not ask')
    .option(...WHY)
    .action(async (given: string | undefined, options: WhyFlag & { item?: string; yes?: true }) => {
      const item = nameNeeded('--item', given, options.item);
      const question = `Remove item ${item} and its stock?`;
      await removeRow(session, { kind: 'item.remove', item }, { ...options, question });
    });
}
