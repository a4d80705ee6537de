import type { Command } from 'commander';
import { reportSchema } from '../../../app/schema/check.ts';
import { reportDocument, reportLines } from '../../output/schema.ts';
import type { Session } from '../../session.ts';
import { addVerb, printDocuments, SUBJECT, type Run } from './subject.ts';

export function registerShow(schema: Command, session: Session): void {
  addVerb(schema, session, 'show', show, {
    alias: 'list',
    summary: 'show the registered versions of a schema',
    prose: `Shows the versions of the subject, its compatibility level, and whether the schema is the latest. ${SUBJECT}`,
    examples: [
      ['orderctl schema show --all', 'the schemas of all messages'],
      ['orderctl schema show -o json | jq -r .latest.schema', 'print the latest version of the schema'],
    ],
  });
}

async function show(run: Run): Promise<void> {
  const { printer, isJson, tools, asked, words } = run;
  const documents: object[] = [];
  let missing = 0;
  for (const { message, subject, schema, what } of asked) {
    const report = await reportSchema(tools, { subject, schema });
    documents.push(reportDocument(report, message));
    if (!isJson) await printer.text(reportLines(report, what));
    if (report.latest === null) missing += 1;
  }
  if (missing > 0) {
    const what = asked.length === 1 ? 'it' : 'the missing ones';
    const first = words === '' ? '; so does the first order that is sent' : '';
    printer.info(`"orderctl schema register${words}" registers ${what}${first}`);
  }
  if (isJson) await printDocuments(run, documents);
}
