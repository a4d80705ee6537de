import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { SUBJECT } from './subject.ts';
import { registerCheck } from './check.ts';
import { registerRegister } from './register.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const schema = describe(command, {
    prose: `Compares the schemas that messages are written with and what the registry has, and registers them. ${SUBJECT}`,
    examples: [
      ['orderctl schema show', 'what the registry has'],
      ['orderctl schema check --file order-v2.avsc', 'whether a new schema would be taken'],
    ],
  });
  registerShow(schema, session);
  registerCheck(schema, session);
  registerRegister(schema, session);
}
