import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { IDS } from './filter.ts';
import { registerDiscard } from './discard.ts';
import { registerList } from './list.ts';
import { registerRedrive } from './redrive.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const dlq = describe(command, {
    prose:
      'Lists, shows, redrives and discards dead letters: records that could not be processed. Besides those of orderctl ' +
      'it understands, with --dlq-topic, the headers of Kafka Connect, Kafka Streams, share groups, Spring, Spring Cloud ' +
      `Stream and SmallRye. The state of each dead letter is stored in the storage folder.\n\n${IDS}`,
    examples: [
      ['orderctl dlq list', 'count and list dead letters'],
      ['orderctl dlq show 0:17', 'show one in detail'],
    ],
  });
  registerList(dlq, session);
  registerShow(dlq, session);
  registerRedrive(dlq, session);
  registerDiscard(dlq, session);
}
