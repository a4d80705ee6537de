import { describeBrokerConfigs } from '../cluster/broker-config.ts';
import { describeTopicConfigs, type DescribedConfig } from '../cluster/topic-config.ts';
import { KafkaError } from '../wire/errors.ts';
import { api, type Context } from './api.ts';
import { CONFIG_SOURCE, RESOURCE } from './config-source.ts';
import { attempt, type Outcome } from './outcome.ts';

interface Resource {
  readonly type: number;
  readonly name: string;
  /** Null for all. */
  readonly keys: readonly string[] | null;
}

interface Request {
  readonly resources: readonly Resource[];
  readonly withSynonyms: boolean;
}

interface ResourceAnswer extends Outcome, Omit<Resource, 'keys'> {
  readonly configs: readonly DescribedConfig[];
  readonly withSynonyms: boolean;
}

export const describeConfigs = api<Request, readonly ResourceAnswer[]>({
  key: 32,
  name: 'DescribeConfigs',
  min: 1,
  max: 4,
  flexibleFrom: 4,
  read(reader, version) {
    const resources = reader.structs(() => ({
      type: reader.int8(),
      name: reader.string(),
      keys: reader.nullableArray(() => reader.string()),
    }));
    const withSynonyms = reader.boolean();
    if (version >= 3) reader.boolean(); // documentation
    return { resources, withSynonyms };
  },
  handle: ({ resources, withSynonyms }, { broker }) =>
    resources.map(({ type, name, keys }) => {
      let configs: DescribedConfig[] = [];
      const outcome = attempt(() => {
        configs = configsOf(type, name, broker).filter((config) => keys?.includes(config.name) ?? true);
      });
      return { type, name, configs, withSynonyms, ...outcome };
    }),
  write(writer, resources, version) {
    writer.int32(0); // throttle time
    writer.structs(resources, ({ error, message, type, name, configs, withSynonyms }) => {
      const own = type === RESOURCE.topic ? CONFIG_SOURCE.topic : CONFIG_SOURCE.broker;
      writer.int16(error);
      writer.nullableString(message);
      writer.int8(type);
      writer.string(name);
      writer.structs(configs, (config) => {
        writer.string(config.name);
        writer.nullableString(config.value);
        writer.boolean(type === RESOURCE.broker); // read only
        writer.int8(config.isDefault ? CONFIG_SOURCE.default : own);
        writer.boolean(false); // sensitive
        // Sources of a value; the first one applies.
        const values = [
          ...(config.isDefault ? [] : [{ value: config.value, source: own }]),
          { value: config.default, source: CONFIG_SOURCE.default },
        ];
        writer.structs(withSynonyms ? values : [], ({ value, source }) => {
          writer.string(config.name);
          writer.nullableString(value);
          writer.int8(source);
        });
        if (version < 3) return;
        writer.int8(config.type);
        writer.nullableString(null); // documentation
      });
    });
  },
  fail: ({ resources }, error) =>
    resources.map(({ type, name }) => ({
      type,
      name,
      error,
      message: null,
      configs: [],
      withSynonyms: false,
    })),
});

/** @throws KafkaError */
function configsOf(type: number, name: string, broker: Context['broker']): DescribedConfig[] {
  if (type === RESOURCE.topic) {
    const topic = broker.topics.get(name);
    if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    return describeTopicConfigs(topic.configs);
  }
  if (type === RESOURCE.broker) {
    // An empty name means the settings shared by all brokers: none here.
    if (name === '') return [];
    if (name === String(broker.nodeId)) return describeBrokerConfigs(broker);
    throw new KafkaError(
      'INVALID_REQUEST',
      `Unexpected broker id ${name}: the only one is ${broker.nodeId}.`,
    );
  }
  throw new KafkaError('INVALID_REQUEST', `Resource type ${type} has no configurations.`);
}
