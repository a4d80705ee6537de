import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { PROCESSOR, readingOfFlags, takingProcessor, type ProcessorFlags } from './ports.ts';
import { runReset } from './run-reset.ts';

export function registerUndo(offsets: Command, session: Session): void {
  const undo = describe(offsets.command('undo'), {
    summary: 'go back to where the last reset came from',
    isTable: true,
    prose:
      'Says, and with --execute does, the reversal of the last executed reset of the topic in this folder, that ' +
      'of "orderctl consume --reset-to" included. It is a reset itself: refused (4) in the same cases, and ' +
      `undone by the next undo. Without a reset before it is exit code 3. ${PROCESSOR}`,
    examples: [
      ['orderctl offsets undo', 'where it would go'],
      ['orderctl offsets undo --execute', 'go there'],
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
