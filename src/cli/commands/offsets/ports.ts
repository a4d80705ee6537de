import type { Command } from 'commander';
import { offering } from '../../help.ts';
import type { ProcessorTopics } from '../../../app/offsets/group-positions.ts';
import type { OffsetsPorts } from '../../../app/offsets/show.ts';
import type { TimeLimits } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';

/** Limit for all requests together that show positions, since a user waits for them. */
export const SHOW_TIMEOUT_MS = 10_000;

export const TOGETHER =
  'Processing resumes at the stored positions; the committed offsets of the group follow them, so that every Kafka tool ' +
  'shows the right lag.';

export async function openPorts(session: Session, limits: TimeLimits = {}): Promise<OffsetsPorts> {
  const [access, broker] = await Promise.all([openStoreOf(session), openBrokerOnly(session, limits)]);
  return { access, broker };
}

export interface ProcessorFlags {
  readonly processor?: string;
  readonly source?: string;
}

export const PROCESSOR =
  'Applies to the processor orders, or to all topics of --processor (its name or its group), or to its topic --source.';

/** Lets a command accept the processor whose positions it works on. */
export function takingProcessor(command: Command): Command {
  return command
    .option('--processor <NAME>', 'positions of this processor (default: orders)')
    .addOption(offering('--source <TOPIC>', 'only this topic of the processor', 'topics'));
}

/** @throws Failure invalid_value: the processor does not exist, or does not read that topic */
export async function readingOfFlags(session: Session, flags: ProcessorFlags): Promise<ProcessorTopics> {
  const { topic, group, topics: names } = session.settings;
  const reading: ProcessorTopics =
    flags.processor === undefined
      ? { processor: 'orders', group, topics: [topic] }
      : (await import('../../../app/offsets/reading.ts')).readingOf(flags.processor, { group, names });
  const { source } = flags;
  if (source === undefined) return reading;
  if (reading.topics.includes(source)) return { ...reading, topics: [source] };
  throw new Failure('invalid_value', `${reading.processor} does not read topic ${source}`, {
    fix: `it reads ${reading.topics.join(', ')}`,
  });
}
