import type { Command } from 'commander';
import { openStore } from '../../../compose.ts';
import { describe } from '../../help.ts';
import { copyLine, printCopy } from '../../output/positions/backup.ts';
import type { Session } from '../../session.ts';

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Copies the storage folder to DIR, also while a consumer runs. The copy is a consistent snapshot of tables, ' +
      'decisions, positions and everything that belongs to them. DIR must be empty or not exist (4). When the command ' +
      'reports success, the copy is safe on disk. "orderctl audit --storage DIR" checks a backup, "orderctl restore DIR" ' +
      'restores it.',
    examples: [
      ['orderctl backup /backup/shop-2026-11-28', 'make a backup'],
      ['orderctl audit --storage /backup/shop-2026-11-28', 'check it'],
    ],
  })
    .argument('<DIR>', 'the folder to create')
    .action(async (target: string) => {
      const { printer, isJson, settings } = session;
      const access = await openStore(settings);
      const copy = await access.backUp(target);
      if (isJson) await printCopy(printer, { from: access.name, to: target, copy });
      else await printer.text(`backed up ${access.name} to ${target}: ${copyLine(copy)}\n`);
    });
}
