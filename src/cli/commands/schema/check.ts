import type { Command } from 'commander';
import { checkDocument, differenceLine } from '../../output/schema.ts';
import type { Session } from '../../session.ts';
import { addVerb, checkAll, printDocuments, refuseIncompatible, SUBJECT, type Run } from './subject.ts';

export function registerCheck(schema: Command, session: Session): void {
  addVerb(schema, session, 'check', check, {
    summary: 'check whether a schema can be registered',
    prose:
      'Asks the registry whether the schema can be registered; if not, lists the incompatible fields with the reasons, ' +
      `and exits with 6. Registers nothing. ${SUBJECT}`,
    examples: [
      ['orderctl schema check --file order-v2.avsc', 'check a new schema of orders'],
      ['orderctl schema check orders.created --file created-v2.avsc', 'check one of another message'],
    ],
  });
}

async function check(run: Run): Promise<void> {
  const { printer, isJson } = run;
  const checks = await checkAll(run);
  if (isJson)
    await printDocuments(
      run,
      checks.map(({ check: found, of }) => checkDocument(found, of.message)),
    );
  refuseIncompatible(checks);
  for (const { check: found, of } of checks) {
    const { subject, compatibility, latest } = found.report;
    if (!isJson) await printer.text(`${of.what} can be registered under ${subject} (${compatibility})\n`);
    if (compatibility === 'NONE' && latest !== null) {
      printer.warn(`the compatibility level of ${subject} is NONE: the registry compares nothing`);
      for (const difference of found.differences) printer.warn(differenceLine(difference));
    }
  }
}
