import type { CodecOf } from '../../app/run/events.ts';
import { openBroker, openCodec, openMessageCodec, systemClock, type TimeLimits } from '../../compose.ts';
import type { DeclaredMessage } from '../../domain/messages/message.ts';
import { topicOf } from '../../domain/messages/topic-names.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Codec, OrderCodec } from '../../ports/codec.ts';
import { brokerConnection, registryConnection } from './connection.ts';
import { pacedByOutput } from './output-backpressure.ts';
import type { Session } from '../session.ts';
import { tracerOf } from '../tracing/open.ts';

/**
 * Opens broker and codec with the settings; connects to nothing yet.
 *
 * @param topic the topic whose subject has the schema
 * @throws Failure invalid_settings
 */
export async function openKafka(
  session: Session,
  { topic, register }: { topic: string; register: boolean },
): Promise<{ broker: Broker; codec: OrderCodec }> {
  const { resolved, printer } = session;
  const [broker, codec] = await Promise.all([
    openTracedBroker(session),
    openCodec(registryConnection(resolved), { topic, register, users: resolved.settings.users }),
  ]);
  printer.debug(`brokers ${broker.addresses}, registry ${resolved.settings.registry}`);
  return { broker, codec: pacedByOutput(codec, printer) };
}

/**
 * Opens broker and codecs for a run with the settings; connects to nothing yet.
 *
 * @param register whether the schemas of sent messages may be registered
 * @param users whether an order needs a user; by default as in the settings
 * @throws Failure invalid_settings
 */
export async function openForRun(
  session: Session,
  { register, users = session.settings.users }: { register: boolean; users?: 'required' | 'optional' },
): Promise<{ broker: Broker; codecOf: CodecOf }> {
  const { settings, resolved, printer } = session;
  const made = new Map<string, Promise<Codec<unknown>>>();
  const registry = registryConnection(resolved);
  const make = async (message: DeclaredMessage): Promise<Codec<unknown>> => {
    const topic = topicOf(message, settings.topics);
    if (message.name === 'orders')
      return pacedByOutput(await openCodec(registry, { topic, register, users }), printer);
    if (message.schema === null) throw new Error(`${message.name} has no schema of its own`);
    return openMessageCodec(
      registry,
      { ...message, key: message.key ?? '', schema: message.schema },
      { topic, register },
    );
  };
  const codecOf: CodecOf = (message) => {
    const codec = made.get(message.name) ?? make(message);
    made.set(message.name, codec);
    return codec;
  };
  const broker = await openTracedBroker(session);
  printer.debug(`brokers ${broker.addresses}, registry ${settings.registry}`);
  return { broker, codecOf };
}

/** Opens the broker for commands that may send: each record is a span if tracing is on. */
async function openTracedBroker(session: Session): Promise<Broker> {
  const [broker, tracer] = await Promise.all([openBrokerOnly(session), tracerOf(session)]);
  if (tracer === undefined) return broker;
  const { tracedBroker } = await import('../../app/tracing/traced-broker.ts');
  return tracedBroker(broker, tracer, systemClock);
}

/** Opens the broker for commands that need no schema. @throws Failure invalid_settings */
export async function openBrokerOnly(
  { resolved, printer }: Session,
  limits: TimeLimits = {},
): Promise<Broker> {
  return openBroker(
    brokerConnection(resolved, (line) => printer.info(line)),
    (message) => printer.debug(message),
    limits,
  );
}
