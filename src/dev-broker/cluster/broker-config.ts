import { CONFIG_TYPE, type DescribedConfig } from './topic-config.ts';

/** The node's settings that clients read. They are fixed at its start. */
export function describeBrokerConfigs(settings: {
  readonly nodeId: number;
  readonly autoCreateTopics: boolean;
  readonly defaultPartitions: number;
}): DescribedConfig[] {
  const config = (name: string, type: keyof typeof CONFIG_TYPE, value: string) => ({
    name,
    value,
    isDefault: false,
    default: value,
    type: CONFIG_TYPE[type],
  });
  return [
    config('auto.create.topics.enable', 'boolean', String(settings.autoCreateTopics)),
    config('broker.id', 'int', String(settings.nodeId)),
    config('default.replication.factor', 'int', '1'),
    config('delete.topic.enable', 'boolean', 'true'),
    config('min.insync.replicas', 'int', '1'),
    config('node.id', 'int', String(settings.nodeId)),
    config('num.partitions', 'int', String(settings.defaultPartitions)),
    config('offsets.topic.replication.factor', 'int', '1'),
    config('transaction.state.log.replication.factor', 'int', '1'),
  ];
}
