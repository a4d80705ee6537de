import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerDaily } from './daily.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const report = describe(command, {
    prose:
      'Reports the sales of a day by product and source (orders of both flows, online shops, stores), the top products, ' +
      'and the items low in stock at its end. A day is that of a time zone; sales count on the day on which they were ' +
      'placed. Works while a consumer runs.',
    examples: [
      ['orderctl report show', 'print the sales of yesterday'],
      ['orderctl report daily --to reports', 'write them to files'],
    ],
  });
  registerDaily(report, session);
  registerShow(report, session);
}
