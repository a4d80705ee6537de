import { ORDER } from '../../domain/messages/shop/order.ts';
import type { DeclaredMessage } from '../../domain/messages/message.ts';
import type { Broker, Producer } from '../../ports/broker.ts';
import { ensureTopics, type TopicCreated } from '../topics/ensure.ts';
import { openUnlessStopped, unlessStopped } from '../run/wait.ts';

/**
 * Opens a producer, after making sure that the topic exists.
 *
 * @param options.create false: a missing topic is a failure
 * @returns undefined when stopped meanwhile
 * @throws Failure topic_missing, and as the broker
 */
export async function openProducer(
  broker: Broker,
  options: {
    readonly topic: string;
    /** The message that the topic carries; left out: orders. */
    readonly message?: DeclaredMessage;
    readonly create: boolean;
    readonly on: (event: TopicCreated) => void;
    readonly signal: AbortSignal;
  },
): Promise<Producer | undefined> {
  const { topic, message = ORDER, create, on, signal } = options;
  {
    await using admin = await openUnlessStopped(broker.admin(), signal);
    if (admin === undefined) return undefined;
    const wanted = [{ topic, message, carries: null }];
    if ((await unlessStopped(ensureTopics(admin, wanted, create, on), signal)) === undefined)
      return undefined;
  }
  return openUnlessStopped(broker.producer(), signal);
}
