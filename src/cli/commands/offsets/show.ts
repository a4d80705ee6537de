import type { Command } from 'commander';
import { showOffsets } from '../../../app/offsets/show.ts';
import { describe } from '../../help.ts';
import { printOffsets } from '../../output/positions/offsets.ts';
import type { Session } from '../../session.ts';
import { openPorts, SHOW_TIMEOUT_MS, TOGETHER } from './ports.ts';

export function registerShow(offsets: Command, session: Session): void {
  describe(offsets.command('show'), {
    alias: 'list',
    summary: 'start, committed, stored, end and lag of each partition',
    isTable: true,
    prose:
      `Shows where each partition starts and ends, what the group has committed, what is stored, and the lag: ` +
      `end less stored. ${TOGETHER} Works beside a running consumer. A topic that does not exist is exit code 3.`,
    examples: [
      ['orderctl offsets show', 'a table'],
      ['orderctl offsets show -o json | jq .total_lag', 'one number, for a script'],
    ],
  }).action(async () => {
    const { topic, group } = session.settings;
    const ports = await openPorts(session, { totalTimeoutMs: SHOW_TIMEOUT_MS });
    await printOffsets(session, await showOffsets(ports, { topic, group }));
  });
}
