import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerApply } from './apply.ts';
import { registerShow } from './show.ts';
import { WANTED } from './wanted.ts';

export function register(command: Command, session: Session): void {
  const acl = describe(command, {
    prose: `Compares the access rules (ACLs) of the cluster with those that the roles of a shop need, and adds missing ones. ${WANTED}`,
    examples: [
      ['orderctl acl show', 'show existing and missing rules'],
      ['orderctl acl apply', 'show what would be done'],
    ],
  });
  registerShow(acl, session);
  registerApply(acl, session);
}
