import type { Command } from 'commander';
import { planTopics, type TopicPlan } from '../../../app/topics/plan.ts';
import { orderTopics } from '../../../domain/topics/declared-topics.ts';
import { Failure } from '../../../domain/failure.ts';
import type { BrokerAdmin } from '../../../ports/broker.ts';
import { namedMessages, takingMessages, type MessageFlags } from '../../messages.ts';
import { shopOf } from '../../settings/shop.ts';
import type { Session } from '../../session.ts';

export const DECLARED =
  'Without a message: the orders topic (6 partitions, 3 copies, a week of retention) and its dead-letter topic (the ' +
  'same, 30 days, and records 64 KiB larger than the orders topic takes). With messages, or --all: the topics of ' +
  'these, by the catalogue, each with its dead-letter topic. With --processor: what it reads, with dead letters, and writes. These are minimum values: larger ones in the ' +
  'cluster stay as they are. Names come from --topic, --dlq-topic and --topics.';

export interface TopicFlags extends MessageFlags {
  readonly processor?: string;
}

/** Gives a command the topics that it is about. */
export function takingTopics(command: Command): Command {
  return takingMessages(command).option(
    '--processor <NAME>',
    'what a run of it needs; all: of every processor',
  );
}

/** @param names of messages; none, without --all: orders */
export async function planDeclared(
  admin: BrokerAdmin,
  session: Session,
  names: readonly string[],
  flags: TopicFlags,
): Promise<TopicPlan> {
  const { settings } = session;
  const { processor } = flags;
  if (processor !== undefined) {
    if (names.length > 0 || flags.all === true) {
      throw new Failure('usage', '--processor and messages cannot be combined', { fix: 'give one of them' });
    }
    const { topicsOfProcessor } = await import('../../../app/topics/wanted.ts');
    return planTopics(admin, topicsOfProcessor(processor, shopOf(settings), settings.topics));
  }
  const messages = await namedMessages(session, names, flags);
  if (messages === null) return planTopics(admin, orderTopics(settings));
  const { wantedTopics } = await import('../../../app/topics/wanted.ts');
  return planTopics(admin, wantedTopics(messages, settings.topics));
}
