import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerShow } from './show.ts';
import { registerTop } from './top.ts';

export function register(command: Command, session: Session): void {
  const analytics = describe(command, {
    prose:
      'Adds up committed orders of both flows and sales of online shops and stores. Each counts in the hour (UTC) in ' +
      'which it was placed, however late it was decided. Revenue is that of accepted and completed orders, at the ' +
      'prices in the orders, less refunds. Works while a consumer runs.',
    examples: [
      ['orderctl analytics show', 'the last 24 hours'],
      ['orderctl analytics top --limit 3', 'the three products with the most revenue'],
    ],
  });
  registerShow(analytics, session);
  registerTop(analytics, session);
}
