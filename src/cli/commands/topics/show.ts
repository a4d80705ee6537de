import type { Command } from 'commander';
import { describe } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { messageWords } from '../../messages.ts';
import { openCsv } from '../../output/csv.ts';
import { printTable } from '../../output/print-table.ts';
import { TOPIC_COLUMNS, topicRows, topicsDocument } from '../../output/cluster/topics.ts';
import type { Session } from '../../session.ts';
import { DECLARED, planDeclared, takingTopics, type TopicFlags } from './declared.ts';

export function registerShow(topics: Command, session: Session): void {
  takingTopics(
    describe(topics.command('show'), {
      alias: 'list',
      summary: 'compare the topics of the cluster with the declared ones',
      isTable: true,
      prose: `Shows the declared values of each topic next to those in the cluster. ${DECLARED}`,
      examples: [
        ['orderctl topics show orders.created payments.processed', 'the topics of two messages'],
        ['orderctl topics show -o json', 'for a script'],
      ],
    }),
  ).action(async (names: readonly string[], flags: TopicFlags) => {
    await show(session, names, flags);
  });
}

async function show(session: Session, names: readonly string[], flags: TopicFlags): Promise<void> {
  const { printer, isJson, isCsv } = session;
  await using admin = await (await openBrokerOnly(session)).admin();
  const plan = await planDeclared(admin, session, names, flags);
  if (isJson) {
    await printer.data(`${JSON.stringify(topicsDocument(plan))}\n`);
    return;
  }
  const rows = topicRows(plan);
  if (isCsv) await (await openCsv(printer, ['topic', 'what', 'declared', 'actual', 'state']))(rows);
  else await printTable(printer, rows, TOPIC_COLUMNS);
  for (const warning of plan.warnings) printer.warn(warning);
  if (plan.actions.length === 0) return;
  printer.info(
    `to fix the differences: orderctl topics apply${messageWords(names, flags)}${flags.processor === undefined ? '' : ` --processor ${flags.processor}`}`,
  );
}
