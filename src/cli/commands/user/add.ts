import type { Command } from 'commander';
import { USER_STATUSES } from '../../../domain/tables.ts';
import { BESIDE, makeEdit } from '../../tables/edit-command.ts';
import { WHY, type WhyFlag } from '../../tables/why.ts';
import { describe, offering } from '../../help.ts';
import { nameOf, userStatus } from '../../parse.ts';
import { nameNeeded, takingName } from '../../named.ts';
import type { Session } from '../../session.ts';

export function registerAdd(user: Command, session: Session): void {
  takingName(
    describe(user.command('add'), {
      summary: 'add a user',
      prose: `Adds a user. Exit code 4 if the user already exists. ${BESIDE}`,
      examples: [
        ['orderctl user add --user alice --status paid', 'a user whose orders are accepted'],
        ['orderctl user add --user bob --status unpaid', 'a user whose orders are rejected'],
      ],
    }),
    '--user',
    'name of the user',
  )
    .addOption(offering('--status <STATUS>', 'paid or unpaid', USER_STATUSES).makeOptionMandatory())
    .option(...WHY)
    .action(async (given: string | undefined, options: WhyFlag & { user?: string; status: string }) => {
      const name = nameOf('--user', nameNeeded('--user', given, options.user));
      const status = userStatus('--status', options.status);
      await makeEdit(session, { kind: 'user.add', user: name, status }, options);
    });
}
