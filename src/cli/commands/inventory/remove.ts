import type { Command } from 'commander';
import { confirm } from '../../ask.ts';
import { makeEdit } from '../../tables/edit-command.ts';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { BESIDE } from '../../tables/edit-command.ts';

export function registerRemove(inventory: Command, session: Session): void {
  describe(inventory.command('remove'), {
    summary: 'remove an item',
    prose:
      'Removes an item with its stock; what was decided for it stays. Asks first; --yes answers, and without a ' +
      `terminal it is needed. Exit code 3 if there is no such item. ${BESIDE}`,
    examples: [['orderctl inventory remove --item pen --yes', 'without a question']],
  })
    .requiredOption('--item <NAME>', 'name of the item')
    .option('--yes', 'do not ask')
    .action(async (options: { item: string; yes?: true }) => {
      const isSure = await confirm(`Remove item ${options.item} and its stock?`, options.yes === true);
      if (isSure) await makeEdit(session, { kind: 'item.remove', item: options.item });
      else session.printer.info('nothing changed');
    });
}
