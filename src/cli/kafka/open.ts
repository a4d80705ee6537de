import { openBroker, openCodec, type TimeLimits } from '../../compose.ts';
import type { Broker } from '../../ports/broker.ts';
import type { OrderCodec } from '../../ports/codec.ts';
import { brokerConnection, registryConnection } from './connection.ts';
import { pacedByOutput } from './output-backpressure.ts';
import type { Session } from '../session.ts';

/**
 * Broker and codec by the settings; connects to neither.
 *
 * @param topic its subject holds the schema
 * @throws Failure invalid_settings
 */
export async function openKafka(
  session: Session,
  { topic, register }: { topic: string; register: boolean },
): Promise<{ broker: Broker; codec: OrderCodec }> {
  const { resolved, printer } = session;
  const [broker, codec] = await Promise.all([
    openBrokerOnly(session),
    openCodec(registryConnection(resolved), { topic, register }),
  ]);
  printer.debug(`brokers ${broker.addresses}, registry ${resolved.settings.registry}`);
  return { broker, codec: pacedByOutput(codec, printer) };
}

/** The broker, for commands that need no schema. @throws Failure invalid_settings */
export async function openBrokerOnly(
  { resolved, printer }: Session,
  limits: TimeLimits = {},
): Promise<Broker> {
  return openBroker(brokerConnection(resolved), (message) => printer.debug(message), limits);
}
