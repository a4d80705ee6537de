import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerApply } from './apply.ts';
import { registerShow } from './show.ts';
import { WANTED } from './wanted.ts';

export function register(command: Command, session: Session): void {
  const acl = describe(command, {
    prose: `Compares the access rules of the cluster with what the parts of a shop need, and adds what is missing. ${WANTED}`,
    examples: [
      ['orderctl acl show', 'who may do what, and what is missing'],
      ['orderctl acl apply', 'what would be done'],
    ],
  });
  registerShow(acl, session);
  registerApply(acl, session);
}
