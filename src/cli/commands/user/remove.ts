import type { Command } from 'commander';
import { BESIDE, removeRow } from '../../tables/edit-command.ts';
import { WHY, type WhyFlag } from '../../tables/why.ts';
import { describe } from '../../help.ts';
import { nameNeeded, takingName } from '../../named.ts';
import type { Session } from '../../session.ts';

export function registerRemove(user: Command, session: Session): void {
  takingName(
    describe(user.command('remove'), {
      alias: 'delete',
      summary: 'remove a user',
      prose:
        'Removes a user; past decisions stay. Asks for confirmation; --yes skips it, and is required without a ' +
        `terminal. Exit code 3 if the user does not exist. ${BESIDE}`,
      examples: [['orderctl user remove --user bob --yes', 'without confirmation']],
    }),
    '--user',
    'name of the user',
  )
    .option('-y, --yes', 'do not ask')
    .option(...WHY)
    .action(async (given: string | undefined, options: WhyFlag & { user?: string; yes?: true }) => {
      const user = nameNeeded('--user', given, options.user);
      const question = `Remove user ${user}?`;
      await removeRow(session, { kind: 'user.remove', user }, { ...options, question });
    });
}
