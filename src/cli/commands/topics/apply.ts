import type { Command } from 'commander';
import type { AppliedTopics } from '../../../documents/topics.ts';
import { applyTopics, type TopicAction } from '../../../app/topics/plan.ts';
import { describe } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { actionDocument, actionLine } from '../../output/cluster/topics.ts';
import type { Session } from '../../session.ts';
import { DECLARED, planDeclared, takingTopics, type TopicFlags } from './declared.ts';

interface Flags extends TopicFlags {
  readonly execute?: true;
}

export function registerApply(topics: Command, session: Session): void {
  takingTopics(
    describe(topics.command('apply'), {
      summary: 'bring the cluster to what is declared',
      prose:
        'Creates topics, adds partitions and raises configuration values to what is declared; prints the plan and ' +
        'changes nothing unless --execute. Never makes anything smaller and never deletes a topic. Copies of existing ' +
        `topics are not changed here. ${DECLARED}`,
      examples: [
        ['orderctl topics apply', 'the plan'],
        ['orderctl topics apply --processor all --execute', 'make what "orderctl run" needs'],
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
  const done: TopicAction[] = [];
  try {
    if (execute) {
      await applyTopics(admin, plan, async (action) => {
        done.push(action);
        if (!isJson) await printer.text(`${actionLine(action)}: done\n`);
      });
    } else if (!isJson) {
      await printer.text(plan.actions.map((action) => `${actionLine(action)}\n`).join(''));
    }
  } finally {
    if (isJson) {
      const actions = plan.actions.map((action) => ({
        ...actionDocument(action),
        done: done.includes(action),
      }));
      const { brokers, warnings } = plan;
      const document: AppliedTopics = { executed: execute, brokers, actions, warnings };
      await printer.text(`${JSON.stringify(document)}\n`);
    }
  }
  if (isJson) return;
  if (plan.actions.length === 0) await printer.text('the cluster has what is declared\n');
  else if (!execute) await printer.text('nothing changed; add --execute\n');
}
