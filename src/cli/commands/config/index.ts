import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const config = describe(command, {
    prose:
      'Shows settings. They come from flags, the environment, the nearest orderctl.json and defaults, in this order.',
    examples: [['orderctl config show', 'show all settings and their sources']],
  });
  registerShow(config, session);
}
