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
      'Lists, shows, sends again and discards dead letters: of orderctl itself and, with --dlq-topic, of Kafka ' +
      'Connect, Kafka Streams, share groups, Spring, Spring Cloud Stream and SmallRye, whose headers are understood ' +
      `too. What was done with them is remembered in the storage folder.\n\n${IDS}`,
    examples: [
      ['orderctl dlq list', 'how many there are, why, and which'],
      ['orderctl dlq show 0:17', 'one of them, taken apart'],
    ],
  });
  registerList(dlq, session);
  registerShow(dlq, session);
  registerRedrive(dlq, session);
  registerDiscard(dlq, session);
}
