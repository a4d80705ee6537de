import { planTopics, type TopicPlan } from '../../../app/topics/plan.ts';
import { orderTopics } from '../../../domain/topics/declared-topics.ts';
import type { BrokerAdmin } from '../../../ports/broker.ts';
import { namedMessages, type MessageFlags } from '../../messages.ts';
import type { Session } from '../../session.ts';

export const DECLARED =
  'Without a message: the orders topic (6 partitions, 3 copies, a week of retention) and its dead-letter topic (the ' +
  'same, 30 days, and records 64 KiB larger than the orders topic takes). With messages, or --all: the topics of ' +
  'these, by the catalogue, each with its dead-letter topic. These are minimum values: larger ones in the ' +
  'cluster stay as they are. Names come from --topic, --dlq-topic and --topics.';

/** @param names of messages; none, without --all: orders */
export async function planDeclared(
  admin: BrokerAdmin,
  session: Session,
  names: readonly string[],
  flags: MessageFlags,
): Promise<TopicPlan> {
  const { settings } = session;
  const messages = await namedMessages(session, names, flags);
  if (messages === null) return planTopics(admin, orderTopics(settings));
  const { wantedTopics } = await import('../../../app/topics/wanted.ts');
  return planTopics(admin, wantedTopics(messages, settings.topics));
}
