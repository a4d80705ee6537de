import type { Command } from 'commander';
import type { RegisteredSchema } from '../../../documents/schema.ts';
import type { Session } from '../../session.ts';
import { addVerb, checkAll, printDocuments, refuseIncompatible, SUBJECT, type Run } from './subject.ts';

export function registerRegister(schema: Command, session: Session): void {
  addVerb(schema, session, 'register', registerSchema, {
    summary: 'register it',
    prose:
      'Registers the schema as a new version, unless it is there already. Exit code 6, with the fields and why, ' +
      `when it is not compatible; of several, none is registered then. ${SUBJECT}`,
    examples: [
      ['orderctl schema register', 'ahead of the first order, or with --no-register elsewhere'],
      ['orderctl schema register --all', 'ahead of the first message of every kind'],
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
    const verb = before === null ? 'is registered' : 'was registered before';
    if (!isJson)
      await printer.text(`${what} ${verb} under ${subject}: version ${version ?? 'unknown'}, id ${id}\n`);
  }
  if (isJson) await printDocuments(run, documents);
}
