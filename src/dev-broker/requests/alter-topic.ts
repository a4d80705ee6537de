import type { Broker } from '../broker.ts';
import { checkTopicConfigs, type TopicConfigs } from '../cluster/topic-config.ts';
import { KafkaError, type ErrorCode } from '../wire/errors.ts';
import type { Writer } from '../wire/writer.ts';
import { RESOURCE } from './config-source.ts';
import { attempt, type Outcome } from './outcome.ts';

/** Shared by the two requests that change configurations. */
export interface Resource {
  readonly type: number;
  readonly name: string;
}

export type Altered = Resource & Outcome;

/** @param wanted computes the topic's new configurations from its present ones */
export function alterTopic(
  { type, name }: Resource,
  broker: Broker,
  validateOnly: boolean,
  wanted: (configs: TopicConfigs) => TopicConfigs,
): Altered {
  const outcome = attempt(() => {
    if (type !== RESOURCE.topic) throw new KafkaError('INVALID_REQUEST', 'Only topics can be configured.');
    const topic = broker.topics.get(name);
    if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    const configs = wanted(topic.configs);
    if (validateOnly) checkTopicConfigs(configs);
    else broker.topics.configure(name, configs);
  });
  return { type, name, ...outcome };
}

export function writeAltered(writer: Writer, resources: readonly Altered[]): void {
  writer.int32(0); // throttle time
  writer.structs(resources, ({ error, message, type, name }) => {
    writer.int16(error);
    writer.nullableString(message);
    writer.int8(type);
    writer.string(name);
  });
}

export function notAltered(resources: readonly Resource[], error: ErrorCode): Altered[] {
  return resources.map(({ type, name }) => ({ type, name, error, message: null }));
}
