import type { Command } from 'commander';
import { confirm } from '../../ask.ts';
import { makeEdit } from '../../tables/edit-command.ts';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { BESIDE } from '../../tables/edit-command.ts';

export function registerRemove(user: Command, session: Session): void {
  describe(user.command('remove'), {
    summary: 'remove a user',
    prose:
      'Removes a user; what was decided for the user stays. Asks first; --yes answers, and without a terminal ' +
      `it is needed. Exit code 3 if there is no such user. ${BESIDE}`,
    examples: [['orderctl user remove --user bob --yes', 'without a question']],
  })
    .requiredOption('--user <NAME>', 'name of the user')
    .option('--yes', 'do not ask')
    .action(async (options: { user: string; yes?: true }) => {
      const isSure = await confirm(`Remove user ${options.user}?`, options.yes === true);
      if (isSure) await makeEdit(session, { kind: 'user.remove', user: options.user });
      else session.printer.info('nothing changed');
    });
}
