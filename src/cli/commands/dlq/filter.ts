import { offering } from '../../help.ts';
import { systemClock } from '../../../compose.ts';
import type { Command } from 'commander';
import type { DeadLetterState } from '../../../app/dlq/dead-letters.ts';
import type { DeadLetterFilter } from '../../../app/dlq/filter.ts';
import { REFUSAL_CODES } from '../../../domain/topics/refusal.ts';
import { DEAD_LETTER_CODES } from '../../../ports/codec.ts';
import { takingTimes, timeRange, type TimeFlags } from '../../parse.ts';
import { checkTopicName } from '../../settings/values.ts';

export const IDS =
  'An id is PARTITION:OFFSET in the dead-letter topic of the orders, such as 0:17, and TOPIC:PARTITION:OFFSET in any ' +
  'other topic. Records too large for the dead-letter topic are kept in .orderctl/undelivered/ of the storage folder; ' +
  'their id is kept:TOPIC/PARTITION@OFFSET of the original record. If the original topic was recreated, the id of a ' +
  'later record from the same offset ends with ~ and eight hexadecimal digits.';

export interface FilterFlags extends TimeFlags {
  reason?: string;
  originalTopic?: string;
  originalGroup?: string;
}

export function filterOptions(command: Command): Command {
  command.addOption(
    offering('--reason <CODE>', 'only this error code or exception class; unknown: none given', [
      ...DEAD_LETTER_CODES,
      ...REFUSAL_CODES,
      'unknown',
    ]),
  );
  return takingTimes(command, 'failed')
    .option('--original-topic <NAME>', 'only records of this topic')
    .option('--original-group <NAME>', 'only records read by this group; unknown: none given');
}

export function readFilter(flags: FilterFlags, state: DeadLetterState | null): DeadLetterFilter {
  const originalTopic =
    flags.originalTopic === undefined ? null : checkTopicName(flags.originalTopic, '--original-topic');
  return {
    reason: flags.reason ?? null,
    ...timeRange(flags, systemClock.now()),
    originalTopic,
    originalGroup: flags.originalGroup ?? null,
    state,
  };
}
