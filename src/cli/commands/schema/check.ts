import type { Command } from 'commander';
import { checkSchema } from '../../../app/schema/check.ts';
import { checkDocument, differenceLine } from '../../output/schema.ts';
import type { Session } from '../../session.ts';
import { addVerb, incompatible, SUBJECT, type Asked } from './subject.ts';

export function registerCheck(schema: Command, session: Session): void {
  addVerb(schema, session, 'check', check, {
    summary: 'whether the registry would take it',
    prose:
      'Asks the registry whether the schema could be registered, and says by which fields and why not. Registers ' +
      `nothing. Exit code 6 when it could not. ${SUBJECT}`,
    examples: [['orderctl schema check --file order-v2.avsc', 'before it goes into use']],
  });
}

async function check({ printer, isJson }: Session, { tools, subject, schema, what }: Asked): Promise<void> {
  const found = await checkSchema(tools, { subject, schema, name: what });
  if (isJson) await printer.data(`${JSON.stringify(checkDocument(found))}\n`);
  if (!found.compatible) throw incompatible(found, what);
  const { compatibility } = found.report;
  if (!isJson) await printer.data(`${what} can be registered under ${subject} (${compatibility})\n`);
  if (compatibility === 'NONE' && found.report.latest !== null) {
    printer.warn(`the level of ${subject} is NONE: the registry compares nothing`);
    for (const difference of found.differences) printer.warn(differenceLine(difference));
  }
}
