import type { Command } from 'commander';
import { openStore } from '../../../compose.ts';
import { describe } from '../../help.ts';
import { copyLine, printCopy } from '../../output/positions/backup.ts';
import type { Session } from '../../session.ts';

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Copies the storage folder as it is at this moment into DIR, also while a consumer runs: tables, decisions, ' +
      'positions and what belongs to them fit each other. DIR must be empty or not there (4). What it prints last is ' +
      'safe on that disk. "orderctl audit --storage DIR" checks a backup, "orderctl restore DIR" makes a folder of it.',
    examples: [
      ['orderctl backup /backup/shop-2026-11-28', 'at any time'],
      ['orderctl audit --storage /backup/shop-2026-11-28', 'whether it is whole'],
    ],
  })
    .argument('<DIR>', 'the folder to make')
    .action(async (target: string) => {
      const { printer, isJson, settings } = session;
      const access = await openStore(settings);
      const copy = await access.backUp(target);
      if (isJson) await printCopy(printer, { from: access.name, to: target, copy });
      else await printer.text(`backed up ${access.name} to ${target}: ${copyLine(copy)}\n`);
    });
}
