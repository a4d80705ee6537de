import type { Command } from 'commander';
import type { AppliedTopics } from '../../../documents/topics.ts';
import { applyTopics, planTopics, type TopicAction } from '../../../app/topics/plan.ts';
import { describe } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { actionDocument, actionLine } from '../../output/topics.ts';
import type { Session } from '../../session.ts';
import { DECLARED } from './declared.ts';

export function registerApply(topics: Command, session: Session): void {
  describe(topics.command('apply'), {
    summary: 'bring the cluster to what is declared',
    prose:
      'Creates topics, adds partitions and raises configuration values to what is declared; prints the plan and ' +
      'changes nothing unless --execute. Never makes anything smaller and never deletes a topic. Copies of existing ' +
      `topics are not changed here. ${DECLARED}`,
    examples: [
      ['orderctl topics apply', 'the plan'],
      ['orderctl topics apply --execute', 'do it'],
    ],
  })
    .option('--execute', 'do it')
    .action(async (flags: { execute?: true }) => {
      await apply(session, flags.execute === true);
    });
}

async function apply(session: Session, execute: boolean): Promise<void> {
  const { printer, settings, isJson } = session;
  await using admin = await (await openBrokerOnly(session)).admin();
  const plan = await planTopics(admin, settings);
  for (const warning of plan.warnings) printer.warn(warning);
  const done: TopicAction[] = [];
  try {
    if (execute) {
      await applyTopics(admin, plan, async (action) => {
        done.push(action);
        if (!isJson) await printer.data(`${actionLine(action)}: done\n`);
      });
    } else if (!isJson) {
      await printer.data(plan.actions.map((action) => `${actionLine(action)}\n`).join(''));
    }
  } finally {
    if (isJson) {
      const actions = plan.actions.map((action) => ({
        ...actionDocument(action),
        done: done.includes(action),
      }));
      const { brokers, warnings } = plan;
      const document: AppliedTopics = { executed: execute, brokers, actions, warnings };
      await printer.data(`${JSON.stringify(document)}\n`);
    }
  }
  if (isJson) return;
  if (plan.actions.length === 0) await printer.data('the cluster has what is declared\n');
  else if (!execute) await printer.data('nothing changed; add --execute\n');
}
