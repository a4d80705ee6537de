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
    summary: 'show positions and lag of each partition',
    isTable: true,
    prose:
      `Shows for each partition its start and end, the committed offset of the group, the stored position, and the lag: ` +
      `end less stored. ${TOGETHER} ${PROCESSOR} Works while a consumer runs. Exit code 3 if a topic does not exist.`,
    examples: [
      ['orderctl offsets show --processor payment', 'positions of one processor'],
      ['orderctl offsets show -o json | jq .total_lag', 'the total lag, for a script'],
    ],
  });
  takingProcessor(show).action(async (flags: ProcessorFlags) => {
    const reading = await readingOfFlags(session, flags);
    const ports = await openPorts(session, { totalTimeoutMs: SHOW_TIMEOUT_MS });
    await printOffsets(session, await showOffsets(ports, reading));
  });
}
