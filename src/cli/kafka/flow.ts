import type { ProduceOptions, ProducePorts } from '../../app/send/produce.ts';
import { Failure } from '../../domain/failure.ts';
import { choice } from '../parse.ts';
import type { Session } from '../session.ts';
import { openStoreOf } from '../store.ts';
import { openForRun, openKafka } from './open.ts';

const FLOWS = ['direct', 'checkout'] as const;

interface Flags {
  readonly flow: string;
  readonly address?: string;
  readonly register: boolean;
}

type Kafka = Omit<ProducePorts, 'clock'> & Pick<ProduceOptions, 'topic' | 'message'>;

/** Where orders of a flow go, and in which form. @throws Failure usage, invalid_value, invalid_settings */
export async function openFlow(session: Session, { flow, address, register }: Flags): Promise<Kafka> {
  const { topic, topics } = session.settings;
  if (choice('--flow', flow, 'a flow', FLOWS) === 'direct') {
    if (address !== undefined)
      throw new Failure('usage', '--address is of the checkout', { fix: 'add --flow checkout' });
    return { topic, ...(await openKafka(session, { topic, register })) };
  }
  const [{ checkoutCodec }, { ORDER_CREATED: message }] = await Promise.all([
    import('../../app/send/checkout.ts'),
    import('../../domain/messages/checkout/order-created.ts'),
  ]);
  const { broker, codecOf } = await openForRun(session, { register });
  const codec = await checkoutCodec(await openStoreOf(session), codecOf);
  return { topic: topics.get(message.name) ?? message.name, message, broker, codec };
}
