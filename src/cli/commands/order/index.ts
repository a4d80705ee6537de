import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerExplain } from './explain.ts';
import { registerList } from './list.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const order = describe(command, {
    prose: 'Shows, lists and explains the decisions that were made. Each order id is decided once, for good.',
    examples: [
      ['orderctl order list --status rejected --limit 20', 'what was refused'],
      ['orderctl order explain ORD-8', 'why, and what can be done now'],
    ],
  });
  registerShow(order, session);
  registerList(order, session);
  registerExplain(order, session);
}
