import type { Command } from 'commander';
import { offering } from '../../help.ts';
import { planTopics, type TopicPlan } from '../../../app/topics/plan.ts';
import { orderTopics } from '../../../domain/topics/declared-topics.ts';
import { Failure } from '../../../domain/failure.ts';
import type { BrokerAdmin } from '../../../ports/broker.ts';
import { namedMessages, takingMessages, type MessageFlags } from '../../messages.ts';
import { shopOf } from '../../settings/shop.ts';
import type { Session } from '../../session.ts';

export const DECLARED =
  'By default the declared topics are the orders topic (6 partitions, 3 replicas, a week of retention) and its dead-letter topic (the ' +
  'same, but 30 days, and records up to 64 KiB larger than in the orders topic). With messages, or --all: their topics ' +
  'in the catalogue, each with its dead-letter topic. With --processor: the topics that it reads, with their ' +
  'dead-letter topics, and those that it writes. Values are minimums: larger ones in the cluster stay. Topic names come ' +
  'from --topic, --dlq-topic and --topics.';

export interface TopicFlags extends MessageFlags {
  readonly processor?: string;
}

/** Lets a command accept messages, or the processor, whose topics it works on. */
export function takingTopics(command: Command): Command {
  return takingMessages(command).addOption(
    offering(
      '--processor <NAME>',
      'topics that a run of it needs; all: of every processor',
      'processors_or_all',
    ),
  );
}

/** @param names of messages; if empty, and without --all: orders */
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
      throw new Failure('usage', '--processor and messages cannot be combined', { fix: 'use one of them' });
    }
    const { topicsOfProcessor } = await import('../../../app/topics/wanted.ts');
    return planTopics(admin, topicsOfProcessor(processor, shopOf(settings), settings.topics));
  }
  const messages = await namedMessages(session, names, flags);
  if (messages === null) return planTopics(admin, orderTopics(settings));
  const { wantedTopics } = await import('../../../app/topics/wanted.ts');
  return planTopics(admin, wantedTopics(messages, settings.topics));
}
