import { declare, type DeclaredTopic } from '../../domain/topics/declared-topics.ts';
import { HEADERS } from '../../domain/messages/headers.ts';
import { MESSAGES } from '../../domain/messages/index.ts';
import type { DeclaredMessage, ProcessorName } from '../../domain/messages/message.ts';
import { deadLettersOf } from '../../domain/messages/topic-names.ts';

/*
 * The event catalogue. Sources:
 * https://www.asyncapi.com/docs/reference/specification/v3.1.0
 * https://github.com/asyncapi/bindings/tree/master/kafka (0.5.0)
 */

const BINDING = { bindingVersion: '0.5.0' };
/** The newest that the specification lists and its parser reads; schemas of other versions it takes unread. */
const AVRO = 'application/vnd.apache.avro+json;version=1.9.0';
const DEAD_LETTER = 'DeadLetter';

/** AsyncAPI 3.1 document of all messages, with their topics, senders and receivers. */
export function asyncApi(): object {
  const deadLetters = deadLetterTopics();
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'orderctl',
      version: '1.0.0',
      description:
        'Messages on Kafka between the processors of a shop, generated from src/domain/messages. Values are Avro, ' +
        'preceded by the id of their schema; JSON with the same fields is accepted everywhere.',
    },
    servers: {
      kafka: {
        host: '127.0.0.1:9092',
        protocol: 'kafka',
        bindings: { kafka: { schemaRegistryUrl: 'http://127.0.0.1:8081', ...BINDING } },
      },
    },
    channels: Object.fromEntries([
      ...MESSAGES.map((message): [string, object] => [message.name, channelOf(message)]),
      ...[...deadLetters].map(([name, topic]): [string, object] => [
        name,
        channel(topic, `dead letters of ${name.replace(/\.dlq$/, '')}`, DEAD_LETTER),
      ]),
    ]),
    operations: Object.fromEntries(MESSAGES.flatMap(operationsOf)),
    components: {
      messages: Object.fromEntries([
        ...MESSAGES.flatMap((message) => (message.schema === null ? [] : [componentOf(message)])),
        [
          DEAD_LETTER,
          { summary: 'an unchanged record; headers x-error-… say why it failed, x-original-… where it was' },
        ],
      ]),
    },
  };
}

/** The dead-letter topics that are not messages of the catalogue, by name. */
function deadLetterTopics(): Map<string, DeclaredTopic> {
  const topics = new Map<string, DeclaredTopic>();
  for (const message of MESSAGES) {
    const name = deadLettersOf(message);
    if (name === null || MESSAGES.some((other) => other.name === name)) continue;
    topics.set(name, declare({ topic: name, message, carries: [message.name] }, []));
  }
  return topics;
}

function channelOf(message: DeclaredMessage): object {
  const { name, summary, schema } = message;
  return channel(declare({ topic: name, message, carries: null }, []), summary, schema?.name ?? DEAD_LETTER);
}

function channel(declared: DeclaredTopic, description: string, message: string): object {
  const { topic, partitions, replication, configs } = declared;
  return {
    address: topic,
    description,
    messages: { [message]: { $ref: `#/components/messages/${message}` } },
    bindings: {
      kafka: {
        topic,
        partitions,
        replicas: replication,
        topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': configs['retention.ms'] },
        ...BINDING,
      },
    },
  };
}

function operationsOf({ name, writers, readers }: DeclaredMessage): [string, object][] {
  const channelRef = { $ref: `#/channels/${name}` };
  return [
    ...writers.map((writer): [string, object] => [
      `${writer.replaceAll(' ', '_')}.send.${name}`,
      { action: 'send', channel: channelRef, tags: [{ name: writer }] },
    ]),
    ...readers.map((reader): [string, object] => [
      `${reader}.receive.${name}`,
      {
        action: 'receive',
        channel: channelRef,
        tags: [{ name: reader }],
        bindings: { kafka: { groupId: { type: 'string', enum: [groupOf(reader)] }, ...BINDING } },
      },
    ]),
  ];
}

function groupOf(processor: ProcessorName): string {
  return processor === 'orders' ? 'orderctl' : `orderctl.${processor}`;
}

function componentOf({ name, summary, key, schema }: DeclaredMessage): [string, object] {
  return [
    schema?.name ?? '',
    {
      name,
      summary,
      contentType: 'avro/binary',
      headers: {
        type: 'object',
        properties: Object.fromEntries(HEADERS.map((header) => [header, { type: 'string' }])),
      },
      payload: { schemaFormat: AVRO, schema },
      bindings: {
        kafka: {
          key: { type: 'string', description: key },
          schemaIdLocation: 'payload',
          schemaIdPayloadEncoding: 'confluent',
          ...BINDING,
        },
      },
    },
  ];
}
