import type { LogSettings } from '../log/partition.ts';
import { KafkaError } from '../wire/errors.ts';

/** Types as DescribeConfigs numbers them. */
export const CONFIG_TYPE = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const;

interface Definition {
  readonly type: keyof typeof CONFIG_TYPE;
  readonly default: string;
  readonly min?: number;
  readonly max?: number;
  /** Allowed elements of a list. */
  readonly oneOf?: readonly string[];
}

const LONG_MAX = '9223372036854775807';
const INT_MAX = 2 ** 31 - 1;
/** Kafka's default is 1 GiB; smaller here, because a start reads the last segment of each partition. */
const SEGMENT_BYTES = 16 << 20;

/**
 * Every topic configuration of Kafka 4 with its default there (only segment.bytes differs), so that a client can set it
 * and read it back. `LogSettings` are those with an effect; DESIGN.md lists the others.
 */
const DEFINITIONS: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  ['cleanup.policy', { type: 'list', default: 'delete', oneOf: ['delete', 'compact'] }],
  ['compression.gzip.level', { type: 'int', default: '-1' }],
  ['compression.lz4.level', { type: 'int', default: '9' }],
  [
    'compression.type',
    {
      type: 'string',
      default: 'producer',
      oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    },
  ],
  ['compression.zstd.level', { type: 'int', default: '3' }],
  ['delete.retention.ms', { type: 'long', default: '86400000', min: 0 }],
  ['file.delete.delay.ms', { type: 'long', default: '60000', min: 0 }],
  ['flush.messages', { type: 'long', default: LONG_MAX, min: 1 }],
  ['flush.ms', { type: 'long', default: LONG_MAX, min: 0 }],
  ['follower.replication.throttled.replicas', { type: 'list', default: '' }],
  ['index.interval.bytes', { type: 'int', default: '4096', min: 0 }],
  ['leader.replication.throttled.replicas', { type: 'list', default: '' }],
  ['local.retention.bytes', { type: 'long', default: '-2', min: -2 }],
  ['local.retention.ms', { type: 'long', default: '-2', min: -2 }],
  ['max.compaction.lag.ms', { type: 'long', default: LONG_MAX, min: 1 }],
  ['max.message.bytes', { type: 'int', default: '1048588', min: 0, max: INT_MAX }],
  ['message.timestamp.after.max.ms', { type: 'long', default: '3600000', min: 0 }],
  ['message.timestamp.before.max.ms', { type: 'long', default: LONG_MAX, min: 0 }],
  [
    'message.timestamp.type',
    { type: 'string', default: 'CreateTime', oneOf: ['CreateTime', 'LogAppendTime'] },
  ],
  ['min.cleanable.dirty.ratio', { type: 'double', default: '0.5', min: 0, max: 1 }],
  ['min.compaction.lag.ms', { type: 'long', default: '0', min: 0 }],
  ['min.insync.replicas', { type: 'int', default: '1', min: 1 }],
  ['preallocate', { type: 'boolean', default: 'false' }],
  ['remote.storage.enable', { type: 'boolean', default: 'false' }],
  ['retention.bytes', { type: 'long', default: '-1', min: -1 }],
  ['retention.ms', { type: 'long', default: '604800000', min: -1 }],
  ['segment.bytes', { type: 'int', default: String(SEGMENT_BYTES), min: 1024, max: INT_MAX }],
  ['segment.index.bytes', { type: 'int', default: '10485760', min: 4 }],
  ['segment.jitter.ms', { type: 'long', default: '0', min: 0 }],
  ['segment.ms', { type: 'long', default: '604800000', min: 1 }],
  ['unclean.leader.election.enable', { type: 'boolean', default: 'false' }],
]);

export type TopicConfigs = Readonly<Record<string, string>>;

/** @throws KafkaError INVALID_CONFIG naming the key and its allowed values */
export function checkTopicConfigs(configs: TopicConfigs): void {
  for (const [name, value] of Object.entries(configs)) {
    const definition = DEFINITIONS.get(name);
    if (definition === undefined)
      throw new KafkaError('INVALID_CONFIG', `Unknown topic config name: ${name}`);
    const why = whyInvalid(definition, value);
    if (why !== undefined) {
      throw new KafkaError('INVALID_CONFIG', `Invalid value ${value} for configuration ${name}: ${why}`);
    }
  }
}

function whyInvalid({ type, min = -Infinity, max = Infinity, oneOf }: Definition, value: string) {
  switch (type) {
    case 'boolean':
      return /^(true|false)$/i.test(value) ? undefined : 'it must be true or false';
    case 'int':
    case 'long':
    case 'double': {
      const isNumber = type === 'double' ? value.trim() !== '' : /^-?\d+$/.test(value);
      if (!isNumber || Number.isNaN(Number(value))) return `it is not of type ${type}`;
      return Number(value) < min || Number(value) > max ? `it must be from ${min} to ${max}` : undefined;
    }
    case 'string':
    case 'list': {
      const bad = elements(value).find((element) => oneOf?.includes(element) === false);
      return bad === undefined ? undefined : `it must be one of ${oneOf?.join(', ') ?? ''}`;
    }
  }
}

function elements(list: string): string[] {
  return list.split(',').flatMap((element) => element.trim() || []);
}

export function isListConfig(name: string): boolean {
  return DEFINITIONS.get(name)?.type === 'list';
}

/** The effective value. */
export function topicConfig(configs: TopicConfigs, name: string): string {
  return configs[name] ?? DEFINITIONS.get(name)?.default ?? '';
}

export interface DescribedConfig {
  readonly name: string;
  readonly value: string;
  readonly isDefault: boolean;
  readonly default: string;
  readonly type: number;
}

export function describeTopicConfigs(configs: TopicConfigs): DescribedConfig[] {
  return [...DEFINITIONS].map(([name, definition]) => ({
    name,
    value: configs[name] ?? definition.default,
    isDefault: configs[name] === undefined,
    default: definition.default,
    type: CONFIG_TYPE[definition.type],
  }));
}

export interface TopicSettings extends LogSettings {
  readonly minInsyncReplicas: number;
  readonly compacts: boolean;
}

export function topicSettings(configs: TopicConfigs): TopicSettings {
  const number = (name: string) => Number(topicConfig(configs, name));
  const policy = elements(topicConfig(configs, 'cleanup.policy'));
  return {
    maxMessageBytes: number('max.message.bytes'),
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    timestampAheadMs: number('message.timestamp.after.max.ms'),
    isAppendTime: topicConfig(configs, 'message.timestamp.type') === 'LogAppendTime',
    deletes: policy.includes('delete'),
    compacts: policy.includes('compact'),
    minInsyncReplicas: number('min.insync.replicas'),
  };
}
