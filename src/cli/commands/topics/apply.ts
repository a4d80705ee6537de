import type { Command } from 'commander';
import type { AppliedTopics } from '../../../documents/topics.ts';
import { applyTopics } from '../../../app/topics/plan.ts';
import { describe } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { actionDocument, actionLine } from '../../output/cluster/topics.ts';
import { carryOut } from '../../output/cluster/carry-out.ts';
import type { Session } from '../../session.ts';
import { DECLARED, planDeclared, takingTopics, type TopicFlags } from './declared.ts';

interface Flags extends TopicFlags {
  readonly execute?: true;
}

export function registerApply(topics: Command, session: Session): void {
  takingTopics(
    describe(topics.command('apply'), {
      summary: 'create and extend topics as declared',
      prose:
        'Creates topics, adds partitions and raises configuration values to the declared ones. Without --execute it only ' +
        'prints the plan. Never reduces a value, never deletes a topic, and does not change the replication of existing ' +
        `topics. ${DECLARED}`,
      examples: [
        ['orderctl topics apply', 'show the plan'],
        ['orderctl topics apply --processor all --execute', 'create what "orderctl run" needs'],
      ],
    }),
  )
    .option('--execute', 'do it')
    .action(async (names: readonly string[], flags: Flags) => {
      await apply(session, names, flags);
    });
}

async function apply(session: Session, names: readonly string[], flags: Flags): Promise<void> {
  const { printer, isJson } = session;
  const execute = flags.execute === true;
  await using admin = await (await openBrokerOnly(session)).admin();
  const plan = await planDeclared(admin, session, names, flags);
  for (const warning of plan.warnings) printer.warn(warning);
  const { brokers, warnings } = plan;
  await carryOut(printer, {
    actions: plan.actions,
    execute,
    isJson,
    lineOf: actionLine,
    documentOf: actionDocument,
    apply: (onDone) => applyTopics(admin, plan, onDone),
    whole: (actions): AppliedTopics => ({ executed: execute, brokers, actions: [...actions], warnings }),
    allThere: 'the cluster has the declared topics',
  });
}
