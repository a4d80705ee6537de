import {
  declare,
  suffices,
  type DeclaredTopic,
  type WantedTopic,
} from '../../domain/topics/declared-topics.ts';
import type { BrokerAdmin, TopicDescription } from '../../ports/broker.ts';
import { createDeclared } from './ensure.ts';

/** A topic as declared and as it is in the cluster. */
export interface TopicState {
  /** Its name in the catalogue. */
  readonly message: string;
  readonly declared: DeclaredTopic;
  /** null: the topic does not exist. */
  readonly actual: TopicDescription | null;
  /** How many of the declared copies this cluster can hold. */
  readonly possibleReplication: number;
}

export type TopicAction =
  | { readonly kind: 'create'; readonly declared: DeclaredTopic; readonly replication: number }
  | { readonly kind: 'add_partitions'; readonly topic: string; readonly from: number; readonly to: number }
  | {
      readonly kind: 'alter_config';
      readonly topic: string;
      readonly name: string;
      readonly from: string | null;
      readonly to: string;
    };

export interface TopicPlan {
  readonly brokers: number;
  readonly topics: readonly TopicState[];
  /** Changes that make the cluster match the declaration. None of them reduces or deletes anything. */
  readonly actions: readonly TopicAction[];
  /** Differences that cannot be resolved by an action. */
  readonly warnings: readonly string[];
}

/** Compares the declared topics with the cluster. Changes nothing. */
export async function planTopics(admin: BrokerAdmin, wanted: readonly WantedTopic[]): Promise<TopicPlan> {
  const brokers = await admin.brokerCount();
  const described = new Map<string, TopicDescription | null>();
  const describe = async (topic: string): Promise<TopicDescription | null> => {
    const known = described.get(topic) ?? (await admin.describeTopic(topic)) ?? null;
    described.set(topic, known);
    return known;
  };
  const topics: TopicState[] = [];
  for (const one of wanted) {
    const carried: number[] = [];
    for (const topic of one.carries ?? []) {
      const bytes = Number((await describe(topic))?.configs.get('max.message.bytes'));
      if (bytes > 0) carried.push(bytes);
    }
    const declared = declare(one, carried);
    topics.push({
      message: one.message.name,
      declared,
      actual: await describe(one.topic),
      possibleReplication: Math.min(declared.replication, brokers),
    });
  }
  return {
    brokers,
    topics,
    actions: topics.flatMap(actionsOf),
    warnings: [...fewCopies(topics, brokers), ...topics.flatMap(warningsOf)],
  };
}

function actionsOf({ declared, actual, possibleReplication }: TopicState): TopicAction[] {
  const { topic, partitions } = declared;
  if (actual === null) return [{ kind: 'create', declared, replication: possibleReplication }];
  const actions: TopicAction[] = [];
  if (actual.partitions < partitions) {
    actions.push({ kind: 'add_partitions', topic, from: actual.partitions, to: partitions });
  }
  for (const [name, least] of Object.entries(declared.configs)) {
    const value = actual.configs.get(name);
    if (suffices(value, least)) continue;
    actions.push({ kind: 'alter_config', topic, name, from: value ?? null, to: String(least) });
  }
  const policy = compactedPolicy(actual);
  if (policy !== null) actions.push({ kind: 'alter_config', topic, ...policy });
  return actions;
}

/** The action for a compacted topic: compaction drops orders with the same key and refuses dead letters without one. */
export function compactedPolicy(
  actual: TopicDescription | null,
): { readonly name: string; readonly from: string; readonly to: string } | null {
  const from = actual?.configs.get(POLICY) ?? '';
  return from.split(',').includes('compact') ? { name: POLICY, from, to: 'delete' } : null;
}

const POLICY = 'cleanup.policy';
/** With more names, the warning gives their number instead. */
const MOST_NAMED = 4;

/** The replication that a small cluster cannot provide, in one line for all topics with the same number of copies. */
function fewCopies(topics: readonly TopicState[], brokers: number): string[] {
  const limit = `the cluster has ${brokers} ${brokers === 1 ? 'broker' : 'brokers'}`;
  const few = new Map<string, string[]>();
  for (const { declared, actual, possibleReplication: possible } of topics) {
    const copies = actual?.replication ?? possible;
    if (copies < possible || copies >= declared.replication) continue;
    const what = `${copies} of ${declared.replication} copies`;
    few.set(what, [...(few.get(what) ?? []), declared.topic]);
  }
  return [...few].map(([what, names]) => {
    const which = names.length > MOST_NAMED ? `${names.length} topics` : names.join(', ');
    return `${which}: ${what}, because ${limit}`;
  });
}

function warningsOf({ declared, actual, possibleReplication }: TopicState): string[] {
  const { topic, partitions, replication } = declared;
  const warnings: string[] = [];
  if (actual === null) return warnings;
  if (compactedPolicy(actual) !== null) {
    warnings.push(
      `${topic} is compacted: only the last record for each key is kept, and records without a key are refused`,
    );
  }
  if (actual.replication < possibleReplication) {
    warnings.push(
      `${topic} has ${actual.replication} of ${replication} copies: use kafka-reassign-partitions to change that`,
    );
  }
  if (actual.partitions < partitions) {
    warnings.push(
      `${topic}: adding partitions moves keys: later records of a key may be in another partition, and be read before earlier ones`,
    );
  }
  return warnings;
}

/** Carries out the actions of a plan in sequence. @param onDone called after each action */
export async function applyTopics(
  admin: BrokerAdmin,
  plan: TopicPlan,
  onDone: (action: TopicAction) => Promise<void>,
): Promise<void> {
  for (const action of plan.actions) {
    switch (action.kind) {
      case 'create':
        await createDeclared(admin, action.declared);
        break;
      case 'add_partitions':
        await admin.addPartitions(action.topic, action.to);
        break;
      case 'alter_config':
        await admin.alterTopicConfig(action.topic, { [action.name]: action.to });
        break;
    }
    await onDone(action);
  }
}
