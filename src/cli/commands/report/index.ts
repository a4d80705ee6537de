import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerDaily } from './daily.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const report = describe(command, {
    prose:
      'The sales of a day by product and source (orders of both flows, online shops, stores), what sold most, and what ' +
      'is low at its end. A day is that of a time zone, by the time at which orders were placed and things were sold. ' +
      'Works beside a running consumer.',
    examples: [
      ['orderctl report show', 'of yesterday'],
      ['orderctl report daily --to reports', 'the same as files'],
    ],
  });
  registerDaily(report, session);
  registerShow(report, session);
}
