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
    prose: `Shows and moves how far the topic has been read. ${TOGETHER} Both are moved together.`,
    examples: [
      ['orderctl offsets show', 'positions and lag'],
      ['orderctl offsets reset --to 2h', 'what reading the last two hours again would come to'],
    ],
  });
  registerShow(offsets, session);
  registerReset(offsets, session);
  registerExport(offsets, session);
  registerUndo(offsets, session);
}
