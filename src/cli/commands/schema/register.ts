import type { Command } from 'commander';
import type { RegisteredSchema } from '../../../documents/schema.ts';
import type { Session } from '../../session.ts';
import { addVerb, checkAll, printDocuments, refuseIncompatible, SUBJECT, type Run } from './subject.ts';

export function registerRegister(schema: Command, session: Session): void {
  addVerb(schema, session, 'register', registerSchema, {
    summary: 'register a schema',
    prose:
      'Registers the schema as a new version, unless it is registered already. If it is not compatible, lists the fields ' +
      `with the reasons and exits with 6; of several schemas, none is registered then. ${SUBJECT}`,
    examples: [
      ['orderctl schema register', 'before the first order, or for runs with --no-register'],
      ['orderctl schema register --all', 'the schemas of all messages'],
    ],
  });
}

async function registerSchema(run: Run): Promise<void> {
  const { printer, isJson, tools } = run;
  const checks = await checkAll(run);
  refuseIncompatible(checks.filter(({ check: found }) => found.report.registered === null));
  const documents: RegisteredSchema[] = [];
  for (const { of, check: found } of checks) {
    const { message, subject, schema, what } = of;
    const before = found.report.registered;
    const id = before?.id ?? (await tools.registry.register(subject, schema));
    const version = before?.version ?? (await tools.registry.find(subject, schema))?.version ?? null;
    documents.push({ message, subject, id, version, registered: before === null });
    const verb = before === null ? 'is registered' : 'was registered already';
    if (!isJson)
      await printer.text(`${what} ${verb} under ${subject}: version ${version ?? 'unknown'}, id ${id}\n`);
  }
  if (isJson) await printDocuments(run, documents);
}
