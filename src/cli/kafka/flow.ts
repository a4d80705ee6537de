import type { Catalogue } from '../../app/send/checkout-order.ts';
import type { ProduceOptions, ProducePorts } from '../../app/send/produce.ts';
import { Failure } from '../../domain/failure.ts';
import { choice } from '../parse.ts';
import type { Session } from '../session.ts';
import { openStoreOf } from '../store.ts';
import { openForRun, openKafka } from './open.ts';

/** What `produce --flow` takes. */
export const FLOWS = ['direct', 'checkout'] as const;

interface Flags {
  readonly flow: string;
  readonly address?: string;
  readonly register: boolean;
}

type Kafka = Omit<ProducePorts, 'clock'> & Pick<ProduceOptions, 'topic' | 'message'>;

/** Prices and addresses for orders of the checkout; null: another flow. @throws Failure usage, invalid_value */
export async function openCatalogue(session: Session, { flow, address }: Flags): Promise<Catalogue | null> {
  if (choice('--flow', flow, 'a flow', FLOWS) === 'checkout') {
    const { readCatalogue } = await import('../../app/send/checkout.ts');
    return readCatalogue(await openStoreOf(session));
  }
  if (address === undefined) return null;
  throw new Failure('usage', '--address is only for the checkout', { fix: 'add --flow checkout' });
}

/**
 * Prices for direct orders that have none, so that their sales count as revenue. If the store cannot be read, this is
 * only a warning, since the decision does not depend on prices.
 */
export async function readPrices(session: Session): Promise<Pick<Catalogue, 'prices'>> {
  const { readCatalogue } = await import('../../app/send/checkout.ts');
  try {
    return await readCatalogue(await openStoreOf(session));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    session.printer.warn(`orders are sent without prices: ${error.message}`);
    return { prices: new Map() };
  }
}

/** Topic and codec for the orders of a flow. @param catalogue null: the direct flow @throws Failure invalid_settings */
export async function openFlow(
  session: Session,
  catalogue: Catalogue | null,
  { register }: Flags,
): Promise<Kafka> {
  const { topic, topics } = session.settings;
  if (catalogue === null) return { topic, ...(await openKafka(session, { topic, register })) };
  const [{ checkoutCodec }, { ORDER_CREATED: message }] = await Promise.all([
    import('../../app/send/checkout.ts'),
    import('../../domain/messages/checkout/order-created.ts'),
  ]);
  const { broker, codecOf } = await openForRun(session, { register });
  const codec = await checkoutCodec(catalogue, codecOf);
  return { topic: topics.get(message.name) ?? message.name, message, broker, codec };
}
