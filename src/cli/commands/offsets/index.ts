import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { TOGETHER } from './ports.ts';
import { registerExport } from './export.ts';
import { registerReset } from './reset.ts';
import { registerShow } from './show.ts';
import { registerUndo } from './undo.ts';

export function register(command: Command, session: Session): void {
  const offsets = describe(command, {
    prose: `Shows and resets the positions up to which topics have been read. ${TOGETHER} A reset moves both.`,
    examples: [
      ['orderctl offsets show', 'show positions and lag'],
      ['orderctl offsets reset --to 2h', 'show what reading the last two hours again would do'],
    ],
  });
  registerShow(offsets, session);
  registerReset(offsets, session);
  registerExport(offsets, session);
  registerUndo(offsets, session);
}
