import type { Command } from 'commander';
import { reportSchema } from '../../../app/schema/check.ts';
import { reportDocument, reportLines } from '../../output/schema.ts';
import type { Session } from '../../session.ts';
import { addVerb, SUBJECT, type Asked } from './subject.ts';

export function registerShow(schema: Command, session: Session): void {
  addVerb(schema, session, 'show', show, {
    summary: 'what the registry has of it',
    prose: `Shows the versions of the subject, its compatibility level and whether the schema is the latest. ${SUBJECT}`,
    examples: [['orderctl schema show -o json | jq -r .latest.schema', "the latest version's text"]],
  });
}

async function show({ printer, isJson }: Session, { tools, subject, schema, what }: Asked): Promise<void> {
  const report = await reportSchema(tools, { subject, schema });
  await printer.data(isJson ? `${JSON.stringify(reportDocument(report))}\n` : reportLines(report, what));
  if (report.latest === null)
    printer.info('"orderctl schema register" registers it; so does the first order sent');
}
