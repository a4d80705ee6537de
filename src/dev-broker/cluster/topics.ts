import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { makeDirectory } from '../../directories.ts';
import { Partition } from '../log/partition.ts';
import { StateLog } from '../state-log.ts';
import { KafkaError } from '../wire/errors.ts';
import { checkTopicConfigs, topicSettings, type TopicConfigs, type TopicSettings } from './topic-config.ts';

const MAX_NAME_LENGTH = 249;
/** More would exceed the open-file limit of a process. */
const MAX_PARTITIONS = 1000;

interface SavedTopic {
  readonly id: string;
  readonly partitions: number;
  readonly configs: TopicConfigs;
}

export interface Topic {
  readonly name: string;
  readonly id: string;
  readonly partitions: readonly Partition[];
  readonly configs: TopicConfigs;
  readonly settings: TopicSettings;
}

class LiveTopic implements Topic {
  readonly name: string;
  readonly id: string;
  readonly partitions: Partition[] = [];
  configs: TopicConfigs;
  settings: TopicSettings;

  constructor(name: string, id: string, configs: TopicConfigs) {
    this.name = name;
    this.id = id;
    this.configs = configs;
    this.settings = topicSettings(configs);
  }
}

/**
 * The topics of the node, their configurations and logs, in `topics.log`, `log-starts.log` and `logs/ID/PARTITION/`.
 */
export class Topics {
  readonly #logs: string;
  readonly #saved: StateLog<SavedTopic>;
  /** First offsets after records were deleted on request, by `ID/PARTITION`. */
  readonly #starts: StateLog<number>;
  readonly #byName = new Map<string, LiveTopic>();
  readonly #byId = new Map<string, LiveTopic>();
  readonly #onDeleted: ((name: string) => void)[] = [];

  /**
   * Opens all logs.
   *
   * @throws CorruptLogError · CorruptStateError
   */
  constructor(dataDir: string, warn: (message: string) => void) {
    this.#logs = path.join(dataDir, 'logs');
    this.#saved = new StateLog(path.join(dataDir, 'topics.log'));
    this.#starts = new StateLog(path.join(dataDir, 'log-starts.log'));
    for (const [name, { id, partitions, configs }] of this.#saved) {
      const topic = new LiveTopic(name, id, configs);
      this.#openPartitions(topic, partitions);
      this.#byName.set(name, topic);
      this.#byId.set(id, topic);
      for (const { index, tornBytes } of topic.partitions) {
        if (tornBytes > 0)
          warn(`${name}/${index}: cut off ${tornBytes} bytes that a crash left half-written`);
      }
    }
    this.#removeOrphans();
  }

  get(name: string): Topic | undefined {
    return this.#byName.get(name);
  }

  byId(id: string): Topic | undefined {
    return this.#byId.get(id);
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#byName.get(topic)?.partitions[index];
  }

  all(): Topic[] {
    return [...this.#byName.values()];
  }

  /** @throws KafkaError in the cases in which Kafka refuses */
  checkNew(name: string, partitions: number, configs: TopicConfigs): void {
    if (!/^[a-zA-Z0-9._-]+$/.test(name) || name.length > MAX_NAME_LENGTH || name === '.' || name === '..') {
      throw new KafkaError(
        'INVALID_TOPIC_EXCEPTION',
        `"${name}" is not a topic name: 1 to ${MAX_NAME_LENGTH} of a-z A-Z 0-9 . _ -`,
      );
    }
    if (this.#byName.has(name)) {
      throw new KafkaError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`);
    }
    checkPartitionCount(partitions);
    checkTopicConfigs(configs);
  }

  /** @throws KafkaError as `checkNew` */
  create(name: string, partitions: number, configs: TopicConfigs = {}): Topic {
    this.checkNew(name, partitions, configs);
    const topic = new LiveTopic(name, newTopicId(), configs);
    this.#openPartitions(topic, partitions);
    this.#save(topic);
    this.#byName.set(name, topic);
    this.#byId.set(topic.id, topic);
    return topic;
  }

  /** @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION */
  delete(name: string): void {
    const topic = this.#existing(name);
    // Deleted from here on, even if its files remain: a start removes the files of unknown topics.
    this.#saved.delete(name);
    this.#byName.delete(name);
    this.#byId.delete(topic.id);
    const starts = topic.partitions.map(({ index }) => `${topic.id}/${index}`);
    this.#starts.write(starts.filter((key) => this.#starts.has(key)).map((key) => [key]));
    for (const partition of topic.partitions) partition.remove();
    fs.rmSync(path.join(this.#logs, topic.id), { recursive: true, force: true });
    for (const listener of this.#onDeleted) listener(name);
  }

  /** @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS */
  checkPartitions(name: string, count: number): void {
    const { partitions } = this.#existing(name);
    if (count <= partitions.length) {
      throw new KafkaError(
        'INVALID_PARTITIONS',
        `Topic ${name} has ${partitions.length} partitions, and ${count} is not more.`,
      );
    }
    checkPartitionCount(count);
  }

  /** @throws KafkaError as `checkPartitions` */
  addPartitions(name: string, count: number): void {
    this.checkPartitions(name, count);
    const topic = this.#existing(name);
    this.#openPartitions(topic, count);
    this.#save(topic);
  }

  /** @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_CONFIG */
  configure(name: string, configs: TopicConfigs): void {
    const topic = this.#existing(name);
    checkTopicConfigs(configs);
    topic.configs = configs;
    topic.settings = topicSettings(configs);
    this.#save(topic);
  }

  /** @throws KafkaError OFFSET_OUT_OF_RANGE */
  deleteRecords(topic: Topic, partition: Partition, beforeOffset: number): void {
    partition.deleteBefore(beforeOffset);
    this.#starts.set(`${topic.id}/${partition.index}`, partition.startOffset);
  }

  /** Calls back with the name of each deleted topic. */
  onDeleted(listener: (name: string) => void): void {
    this.#onDeleted.push(listener);
  }

  close(): void {
    for (const { partitions } of this.#byName.values()) {
      for (const partition of partitions) {
        partition.sync();
        partition.close();
      }
    }
    this.#saved.close();
    this.#starts.close();
  }

  #existing(name: string): LiveTopic {
    const topic = this.#byName.get(name);
    if (topic === undefined)
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic ${name} does not exist.`);
    return topic;
  }

  #save({ name, id, partitions, configs }: LiveTopic): void {
    this.#saved.set(name, { id, partitions: partitions.length, configs });
  }

  #openPartitions(topic: LiveTopic, count: number): void {
    for (let index = topic.partitions.length; index < count; index += 1) {
      const folder = path.join(this.#logs, topic.id, String(index));
      const start = this.#starts.get(`${topic.id}/${index}`) ?? 0;
      topic.partitions.push(new Partition(topic.name, index, folder, start, () => topic.settings));
    }
  }

  /** Removes folders of topics whose creation or deletion a crash interrupted. */
  #removeOrphans(): void {
    makeDirectory(this.#logs);
    for (const id of fs.readdirSync(this.#logs)) {
      if (!this.#byId.has(id)) fs.rmSync(path.join(this.#logs, id), { recursive: true, force: true });
    }
  }
}

function checkPartitionCount(count: number): void {
  if (count < 1 || count > MAX_PARTITIONS) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      `${count} partitions: it must be from 1 to ${MAX_PARTITIONS}.`,
    );
  }
}

/** Like Kafka's, but never one that looks like a command-line option. */
function newTopicId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}
