import type { Command } from 'commander';
import { planTopics } from '../../../app/topics/plan.ts';
import { describe } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { printTable } from '../../output/print-table.ts';
import { TOPIC_COLUMNS, topicRows, topicsDocument } from '../../output/topics.ts';
import type { Session } from '../../session.ts';
import { DECLARED } from './declared.ts';

export function registerShow(topics: Command, session: Session): void {
  describe(topics.command('show'), {
    summary: 'compare the cluster with the declared topics',
    prose: `Shows what is declared beside what the cluster has. ${DECLARED}`,
    examples: [['orderctl topics show -o json', 'for a script']],
  }).action(async () => {
    await show(session);
  });
}

async function show(session: Session): Promise<void> {
  const { printer, settings, isJson } = session;
  await using admin = await (await openBrokerOnly(session)).admin();
  const plan = await planTopics(admin, settings);
  if (isJson) {
    await printer.data(`${JSON.stringify(topicsDocument(plan))}\n`);
    return;
  }
  await printTable(printer, topicRows(plan), TOPIC_COLUMNS);
  for (const warning of plan.warnings) printer.warn(warning);
  if (plan.actions.length > 0) printer.info('to create or change what is missing: orderctl topics apply');
}
