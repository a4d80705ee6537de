import type { Command } from 'commander';
import { USER_STATUSES } from '../../../domain/tables.ts';
import { BESIDE, makeEdit } from '../../tables/edit-command.ts';
import { WHY, type WhyFlag } from '../../tables/why.ts';
import { describe, offering } from '../../help.ts';
import { userStatus } from '../../parse.ts';
import { nameNeeded, takingName } from '../../named.ts';
import type { Session } from '../../session.ts';

export function registerUpdate(user: Command, session: Session): void {
  takingName(
    describe(user.command('update'), {
      summary: 'change the status of a user',
      prose:
        `Changes the status of a user. Exit code 3 if the user does not exist. ${BESIDE} Orders that were rejected ` +
        'stay rejected; "orderctl replay --rejected --as-new" sends them again under new ids.',
      examples: [['orderctl user update --user bob --status paid', 'bob has paid']],
    }),
    '--user',
    'name of the user',
  )
    .addOption(offering('--status <STATUS>', 'paid or unpaid', USER_STATUSES).makeOptionMandatory())
    .option(...WHY)
    .action(async (given: string | undefined, options: WhyFlag & { user?: string; status: string }) => {
      const user = nameNeeded('--user', given, options.user);
      const status = userStatus('--status', options.status);
      await makeEdit(session, { kind: 'user.update', user, status }, options);
    });
}
