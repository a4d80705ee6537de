import type { Command } from 'commander';
import type { RegisteredSchema } from '../../../documents/schema.ts';
import { checkSchema } from '../../../app/schema/check.ts';
import type { Session } from '../../session.ts';
import { addVerb, incompatible, SUBJECT, type Asked } from './subject.ts';

export function registerRegister(schema: Command, session: Session): void {
  addVerb(schema, session, 'register', registerSchema, {
    summary: 'register it',
    prose:
      'Registers the schema as a new version, unless it is there already. Exit code 6, with the fields and why, ' +
      `when it is not compatible. ${SUBJECT}`,
    examples: [['orderctl schema register', 'ahead of the first order, or with --no-register elsewhere']],
  });
}

async function registerSchema(
  { printer, isJson }: Session,
  { tools, subject, schema, what }: Asked,
): Promise<void> {
  const found = await checkSchema(tools, { subject, schema, name: what });
  const before = found.report.registered;
  if (before === null && !found.compatible) throw incompatible(found, what);
  const id = before?.id ?? (await tools.registry.register(subject, schema));
  const version = before?.version ?? (await tools.registry.find(subject, schema))?.version ?? null;
  const document: RegisteredSchema = { subject, id, version, registered: before === null };
  const verb = before === null ? 'is registered' : 'was registered before';
  const text = `${what} ${verb} under ${subject}: version ${version ?? 'unknown'}, id ${id}`;
  await printer.data(`${isJson ? JSON.stringify(document) : text}\n`);
}
