import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { DECLARED } from './declared.ts';
import { registerApply } from './apply.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const topics = describe(command, {
    prose: `Compares the cluster with the topics that are declared, and creates or changes what is missing. ${DECLARED}`,
    examples: [
      ['orderctl topics show', 'what is declared and what is there'],
      ['orderctl topics apply', 'what would be done'],
    ],
  });
  registerShow(topics, session);
  registerApply(topics, session);
}
