import type { Command } from 'commander';
import { showOffsets } from '../../../app/offsets/show.ts';
import { describe } from '../../help.ts';
import { printOffsets } from '../../output/positions/offsets.ts';
import type { Session } from '../../session.ts';
import {
  openPorts,
  PROCESSOR,
  readingOfFlags,
  SHOW_TIMEOUT_MS,
  takingProcessor,
  TOGETHER,
  type ProcessorFlags,
} from './ports.ts';

export function registerShow(offsets: Command, session: Session): void {
  const show = describe(offsets.command('show'), {
    alias: 'list',
    summary: 'start, committed, stored, end and lag of each partition',
    isTable: true,
    prose:
      `Shows where each partition starts and ends, what the group has committed, what is stored, and the lag: ` +
      `end less stored. ${TOGETHER} ${PROCESSOR} Works beside a running consumer. A topic that does not exist is exit code 3.`,
    examples: [
      ['orderctl offsets show --processor payment', 'a table'],
      ['orderctl offsets show -o json | jq .total_lag', 'one number, for a script'],
    ],
  });
  takingProcessor(show).action(async (flags: ProcessorFlags) => {
    const reading = await readingOfFlags(session, flags);
    const ports = await openPorts(session, { totalTimeoutMs: SHOW_TIMEOUT_MS });
    await printOffsets(session, await showOffsets(ports, reading));
  });
}
