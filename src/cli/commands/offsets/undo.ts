import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { PROCESSOR, readingOfFlags, takingProcessor, type ProcessorFlags } from './ports.ts';
import { runReset } from './run-reset.ts';

export function registerUndo(offsets: Command, session: Session): void {
  const undo = describe(offsets.command('undo'), {
    summary: 'undo the last reset',
    isTable: true,
    prose:
      'Shows, and with --execute does, the reversal of the last executed reset of the topic in this folder, also of one ' +
      'by "orderctl consume --reset-to". It is a reset itself: refused (4) in the same cases, and undone by the next ' +
      `undo. Exit code 3 if there is no reset to undo. ${PROCESSOR}`,
    examples: [
      ['orderctl offsets undo', 'show what would be done'],
      ['orderctl offsets undo --execute', 'do it'],
    ],
  });
  takingProcessor(undo)
    .option('--execute', 'do it')
    .action(async (flags: ProcessorFlags & { execute?: true }) => {
      const reading = await readingOfFlags(session, flags);
      const reset = { undo: reading.topics };
      await runReset(session, reading, { reset, to: 'undo', execute: flags.execute === true });
    });
}
