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
    summary: 'print the positions, to return to them later',
    prose:
      'Prints a line TOPIC,PARTITION,OFFSET for each partition, where reading would continue now, for "orderctl ' +
      'offsets reset --from-file" or kafka-consumer-groups --reset-offsets --from-file. The output is the same with ' +
      `-o json. ${PROCESSOR} Works while a consumer runs.`,
    examples: [['orderctl offsets export > offsets.csv', 'save the positions']],
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
