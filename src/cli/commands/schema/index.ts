import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { SUBJECT } from './subject.ts';
import { registerCheck } from './check.ts';
import { registerRegister } from './register.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const schema = describe(command, {
    prose: `Compares the schemas with which messages are written with those in the registry, and registers them. ${SUBJECT}`,
    examples: [
      ['orderctl schema show', 'show the registered versions'],
      ['orderctl schema check --file order-v2.avsc', 'check whether a new schema can be registered'],
    ],
  });
  registerShow(schema, session);
  registerCheck(schema, session);
  registerRegister(schema, session);
}
