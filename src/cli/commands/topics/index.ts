import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { DECLARED } from './declared.ts';
import { registerApply } from './apply.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const topics = describe(command, {
    prose: `Compares the topics of the cluster with the declared ones, and creates or extends them. ${DECLARED}`,
    examples: [
      ['orderctl topics show', 'compare declared and actual topics'],
      ['orderctl topics apply', 'show what would be done'],
    ],
  });
  registerShow(topics, session);
  registerApply(topics, session);
}
