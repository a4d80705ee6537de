import type { Command } from 'commander';
import { renderOffsets } from '../../../app/offsets/file.ts';
import { showOffsets } from '../../../app/offsets/show.ts';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { openPorts, SHOW_TIMEOUT_MS } from './ports.ts';

export function registerExport(offsets: Command, session: Session): void {
  describe(offsets.command('export'), {
    summary: 'print the positions as a file to go back to',
    prose:
      'Prints a line TOPIC,PARTITION,OFFSET for each partition: where reading would go on now. "orderctl ' +
      'offsets reset --from-file" reads it, and so does kafka-consumer-groups --reset-offsets --from-file. It is ' +
      'the same with -o json. Works beside a running consumer.',
    examples: [['orderctl offsets export > offsets.csv', 'keep them']],
  }).action(async () => {
    const { topic, group } = session.settings;
    const ports = await openPorts(session, { totalTimeoutMs: SHOW_TIMEOUT_MS });
    const { partitions } = await showOffsets(ports, { topic, group });
    const rows = partitions.map(({ partition, current }) => ({ partition, offset: current }));
    await session.printer.data(renderOffsets(topic, rows));
  });
}
