import { Failure, isFailure } from '../../domain/failure.ts';
import type { WantedTopic } from '../../domain/topics/declared-topics.ts';
import { MESSAGES } from '../../domain/messages/index.ts';
import type { DeclaredMessage, ProcessorName } from '../../domain/messages/message.ts';
import { deadLetterTopicOf, topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { Broker, BrokerAdmin, PartitionRange } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Processes } from '../../ports/processes.ts';
import type { Store, StoredPosition } from '../../ports/store.ts';
import type { Processor } from '../../processors/processor.ts';
import type { PrepareEvent, RunOptions } from './events.ts';
import { clearGroup, findMembers } from '../offsets/clear-group.ts';
import { findMoves } from '../offsets/find-moves.ts';
import {
  commitPositions,
  movedPosition,
  otherTopicsRead,
  refuseVanished,
  storedPositions,
  storeMoves,
} from '../offsets/group-positions.ts';
import { markRestored } from '../store/mark-restored.ts';
import { groupAhead, markOf, rangesWithoutLeader } from '../offsets/plan.ts';
import { ensureTopics } from '../topics/ensure.ts';
import { topicsOfRun } from '../topics/wanted.ts';

export interface PrepareOptions extends Pick<
  RunOptions,
  'names' | 'reset' | 'adopt' | 'create' | 'untilEnd' | 'signal'
> {
  readonly on: (event: PrepareEvent) => void;
}

/** What is known about a processor before it reads. */
interface Reader {
  readonly processor: Pick<Processor<unknown, { kind: string }>, 'name' | 'sources' | 'emits'>;
  readonly group: string;
}

/** A topic that a processor reads, before the first record. */
export interface PreparedTopic {
  readonly source: DeclaredMessage;
  readonly topic: string;
  /** Where its dead letters go; null: another processor that reads the topic sends them. */
  readonly dlqTopic: string | null;
  /** A partition without a leader is absent, unless all were waited for. */
  readonly ranges: readonly PartitionRange[];
  /** By partition; a partition without a position starts at the earliest offset. */
  readonly positions: Map<number, StoredPosition>;
  /** Records skipped by moves of the position. */
  readonly skipped: number;
}

interface PreparePorts {
  readonly store: Store;
  readonly broker: Broker;
  readonly processes: Processes;
  readonly clock: Clock;
}

/**
 * Does everything that must happen before the groups are joined: the topics exist, no other consumer is in a group, and
 * every stored position is where reading starts, with the group's committed offsets moved to it.
 *
 * @returns the topics of each reader, in the same order
 */
export async function prepareRun(
  ports: PreparePorts,
  readers: readonly Reader[],
  options: PrepareOptions,
): Promise<readonly (readonly PreparedTopic[])[]> {
  const { store, broker } = ports;
  const { names } = options;
  await using admin = await broker.admin();
  for (const { processor } of readers) {
    const topics = processor.sources.map((source) => topicOf(source, names));
    for (const topic of topics) {
      const source = { processor: processor.name, topic };
      if (options.reset === null) await refuseVanished(admin, store, source);
      // A processor with several topics may have found no records in some of them.
      const others = (await otherTopicsRead(store, source)).filter((other) => !topics.includes(other));
      if (others.length > 0) options.on({ kind: 'topic_is_new', topic, others });
    }
  }
  await ensureTopics(admin, topicsOf(readers, store, names), options.create, options.on);
  const clusterId = await admin.clusterId();
  const prepared: PreparedTopic[][] = [];
  for (const { processor, group } of readers) {
    const [first] = processor.sources;
    const topic = first === undefined ? '' : topicOf(first, names);
    const isActive = await isGroupActive(admin, ports, { topic, group }, options);
    const topics: PreparedTopic[] = [];
    for (const source of processor.sources) {
      // Independent of which readers run here: the others may run elsewhere, or later.
      const sendsDeadLetters = source.readers[0] === processor.name;
      const of = { source, group, processor: processor.name, clusterId, sendsDeadLetters, isActive };
      topics.push(await prepareTopic(admin, store, of, options));
    }
    prepared.push(topics);
  }
  return prepared;
}

/**
 * Whether other processes already read for this store; they continue from their positions.
 *
 * @throws Failure group_in_use: the group has members of another store, or any members although positions are to be
 *   reset
 */
async function isGroupActive(
  admin: BrokerAdmin,
  ports: PreparePorts,
  of: { readonly topic: string; readonly group: string },
  { signal, reset, on }: PrepareOptions,
): Promise<boolean> {
  const { store } = ports;
  if (!store.isShared) {
    await clearGroup(admin, ports, { ...of, signal }, on);
    return false;
  }
  const isActive = await findMembers(admin, store.storeId, of);
  if (!isActive || reset === null) return isActive;
  throw new Failure('group_in_use', `other processes of this store consume as group ${of.group}`, {
    fix: { kind: 'stop_owner' },
    context: { topic: of.topic },
  });
}

/**
 * The topics that are read, their dead-letter topics, the topics that are written, and those that messages wait for.
 */
function topicsOf(readers: readonly Reader[], store: Store, names: TopicNames): WantedTopic[] {
  const waiting = MESSAGES.filter(({ name }) => store.unsent().has(name));
  const run = readers.map(({ processor }) => processor);
  return topicsOfRun([...run, { sources: [], emits: waiting }], names);
}

async function prepareTopic(
  admin: BrokerAdmin,
  store: Store,
  of: {
    source: DeclaredMessage;
    group: string;
    processor: ProcessorName;
    clusterId: string;
    sendsDeadLetters: boolean;
    isActive: boolean;
  },
  options: PrepareOptions,
): Promise<PreparedTopic> {
  const { source, group, processor, clusterId, sendsDeadLetters, isActive } = of;
  const { names, adopt, reset, on } = options;
  const topic = topicOf(source, names);
  const isWhole = reset !== null || options.untilEnd;
  const ranges = await (isWhole ? admin.ranges(topic) : admin.ledRanges(topic));
  // Read before the positions: consumers commit to the group what they have already stored, so that it can only be
  // ahead of a store that was restored to an earlier state.
  const committed = await admin.committed(group, topic);
  const positions = await storedPositions(store, { processor, topic });
  const mark = markOf(store.storeId);
  const dlqTopic = sendsDeadLetters ? deadLetterTopicOf(source, names) : null;
  const known = [...ranges, ...rangesWithoutLeader({ ranges, stored: positions, committed })];
  const ahead = reset === null ? groupAhead({ ranges: known, stored: positions, committed, mark }) : [];
  if (ahead.length > 0) {
    on({ kind: 'group_ahead', topic, group, ahead });
    // The store was replaced by a copy, or the database was restored.
    await markRestored(store);
  }
  // An active group is not moved from outside, and commits by itself.
  if (isActive) return { source, topic, ranges, positions, dlqTopic, skipped: 0 };
  const found = { processor, topic, group, mark, ranges: known, stored: positions, committed };
  const moves = await findMoves(admin, store, { ...found, adopt, reset });
  await storeMoves(store, clusterId, [{ source: { processor, topic }, moves }]);
  for (const move of moves) {
    positions.set(move.partition, movedPosition({ processor, topic }, clusterId, move));
    on({ kind: 'moved', topic, move });
  }
  try {
    await commitPositions(admin, { topic, group }, { positions, ranges: known, committed, mark });
  } catch (error) {
    // Another process of this store has joined since.
    if (!store.isShared || !isFailure(error, 'group_in_use')) throw error;
  }
  return {
    source,
    topic,
    ranges,
    positions,
    dlqTopic,
    skipped: moves.reduce((sum, move) => sum + move.skipped, 0),
  };
}
