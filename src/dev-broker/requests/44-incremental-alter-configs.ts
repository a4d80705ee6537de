import { isListConfig, topicConfig, type TopicConfigs } from '../cluster/topic-config.ts';
import { KafkaError } from '../wire/errors.ts';
import { notAltered, alterTopic, writeAltered, type Altered, type Resource } from './alter-topic.ts';
import { api } from './api.ts';

interface Change {
  readonly name: string;
  readonly operation: number;
  readonly value: string | null;
}

interface Request {
  readonly resources: readonly (Resource & { readonly changes: readonly Change[] })[];
  readonly validateOnly: boolean;
}

const OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

export const incrementalAlterConfigs = api<Request, readonly Altered[]>({
  key: 44,
  name: 'IncrementalAlterConfigs',
  min: 0,
  max: 1,
  flexibleFrom: 1,
  read(reader) {
    const resources = reader.structs(() => ({
      type: reader.int8(),
      name: reader.string(),
      changes: reader.structs(() => ({
        name: reader.string(),
        operation: reader.int8(),
        value: reader.nullableString(),
      })),
    }));
    return { resources, validateOnly: reader.boolean() };
  },
  handle: ({ resources, validateOnly }, { broker }) =>
    resources.map((resource) =>
      alterTopic(resource, broker, validateOnly, (configs) => resource.changes.reduce(apply, configs)),
    ),
  write: writeAltered,
  fail: ({ resources }, error) => notAltered(resources, error),
});

/** @throws KafkaError INVALID_CONFIG, INVALID_REQUEST */
function apply(configs: TopicConfigs, { name, operation, value }: Change): TopicConfigs {
  if (operation === OPERATION.delete) {
    return Object.fromEntries(Object.entries(configs).filter(([key]) => key !== name));
  }
  if (value === null) throw new KafkaError('INVALID_CONFIG', `Null value not supported for ${name}`);
  if (operation === OPERATION.set) return { ...configs, [name]: value };
  if (operation !== OPERATION.append && operation !== OPERATION.subtract) {
    throw new KafkaError('INVALID_REQUEST', `Unknown operation ${operation}.`);
  }
  if (!isListConfig(name)) throw new KafkaError('INVALID_CONFIG', `${name} is not a list.`);
  const now = topicConfig(configs, name).split(',').filter(Boolean);
  const given = value.split(',');
  const others = now.filter((element) => !given.includes(element));
  return { ...configs, [name]: (operation === OPERATION.append ? [...others, ...given] : others).join(',') };
}
