import type { Command } from 'commander';
import { applyAcls } from '../../../app/acl/plan.ts';
import type { AppliedAcls } from '../../../documents/acl.ts';
import { describe } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { aclActionDocument, aclActionLine, deniedLines } from '../../output/cluster/acl.ts';
import { carryOut } from '../../output/cluster/carry-out.ts';
import type { Session } from '../../session.ts';
import { planWanted, WANTED, WHICH_ROLES } from './wanted.ts';

interface Flags {
  readonly removeExtra?: true;
  readonly execute?: true;
}

export function registerApply(acl: Command, session: Session): void {
  describe(acl.command('apply'), {
    summary: 'add missing access rules',
    prose:
      'Adds missing access rules (ACLs). Without --execute it only prints the plan. --remove-extra also removes rules of ' +
      'the same principals that are not needed. Rules of other principals are never changed. Needs an administrator, who ' +
      `may alter the cluster. ${WANTED}`,
    examples: [
      ['orderctl acl apply', 'show the plan'],
      ['orderctl acl apply --remove-extra --execute', 'add missing rules, and remove unneeded ones'],
    ],
  })
    .argument('[ROLE...]', WHICH_ROLES)
    .option('--remove-extra', 'also remove rules that these principals do not need')
    .option('--execute', 'do it')
    .action(async (names: readonly string[], flags: Flags) => {
      await apply(session, names, flags);
    });
}

async function apply(session: Session, names: readonly string[], flags: Flags): Promise<void> {
  const { printer, isJson } = session;
  const execute = flags.execute === true;
  await using admin = await (await openBrokerOnly(session)).admin();
  const plan = await planWanted(admin, session, names, flags.removeExtra === true);
  for (const line of deniedLines(plan)) printer.warn(line);
  await carryOut(printer, {
    actions: plan.actions,
    execute,
    isJson,
    lineOf: aclActionLine,
    documentOf: aclActionDocument,
    apply: (onDone) => applyAcls(admin, plan.actions, onDone),
    whole: (actions): AppliedAcls => ({ executed: execute, actions: [...actions] }),
    allThere: 'the cluster has all needed access rules',
  });
}
