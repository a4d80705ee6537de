import type { Command } from 'commander';
import { renderOffsets } from '../../../app/offsets/file.ts';
import { showOffsets } from '../../../app/offsets/show.ts';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import {
  openPorts,
  PROCESSOR,
  readingOfFlags,
  SHOW_TIMEOUT_MS,
  takingProcessor,
  type ProcessorFlags,
} from './ports.ts';

export function registerExport(offsets: Command, session: Session): void {
  const command = describe(offsets.command('export'), {
    summary: 'print the positions as a file to go back to',
    prose:
      'Prints a line TOPIC,PARTITION,OFFSET for each partition: where reading would go on now. "orderctl ' +
      'offsets reset --from-file" reads it, and so does kafka-consumer-groups --reset-offsets --from-file. It is ' +
      `the same with -o json. ${PROCESSOR} Works beside a running consumer.`,
    examples: [['orderctl offsets export > offsets.csv', 'keep them']],
  });
  takingProcessor(command).action(async (flags: ProcessorFlags) => {
    const reading = await readingOfFlags(session, flags);
    const ports = await openPorts(session, { totalTimeoutMs: SHOW_TIMEOUT_MS });
    const { topics, partitions } = await showOffsets(ports, reading);
    const texts = topics.map((topic) => {
      const ofTopic = partitions.filter((entry) => entry.topic === topic);
      const rows = ofTopic.map(({ partition, current }) => ({ partition, offset: current }));
      return renderOffsets(topic, rows);
    });
    await session.printer.data(texts.join(''));
  });
}
