import {
  compactedPolicy,
  type TopicAction,
  type TopicPlan,
  type TopicState,
} from '../../../app/topics/plan.ts';
import type { TopicAction as TopicActionDocument, Topics } from '../../../documents/topics.ts';
import { suffices } from '../../../domain/topics/declared-topics.ts';
import type { Column } from '../table.ts';

export interface TopicRow {
  readonly topic: string;
  readonly what: string;
  readonly declared: string;
  readonly actual: string;
  readonly state: 'ok' | 'missing' | 'fewer than wanted' | 'less than wanted' | 'compacted';
}

/** A row for each declared property of each topic. */
export function topicRows({ topics }: TopicPlan): TopicRow[] {
  return topics.flatMap((state) => {
    const { declared, actual } = state;
    const row = (what: string, least: string, value: string | null, isEnough: boolean): TopicRow => ({
      topic: declared.topic,
      what,
      declared: least,
      actual: value ?? '',
      state:
        actual === null
          ? 'missing'
          : isEnough
            ? 'ok'
            : what in declared
              ? 'fewer than wanted'
              : 'less than wanted',
    });
    const { partitions, replication } = declared;
    const policy = compactedPolicy(actual);
    return [
      row(
        'partitions',
        String(partitions),
        text(actual?.partitions),
        (actual?.partitions ?? 0) >= partitions,
      ),
      row('replication', String(replication), text(actual?.replication), hasEnoughCopies(state)),
      ...Object.entries(declared.configs).map(([name, least]) => {
        const value = actual?.configs.get(name);
        return row(name, String(least), value ?? null, suffices(value, least));
      }),
      ...(policy === null
        ? []
        : [{ ...row(policy.name, policy.to, policy.from, false), state: 'compacted' as const }]),
    ];
  });
}

function text(value: number | undefined): string | null {
  return value === undefined ? null : String(value);
}

function hasEnoughCopies({ declared, actual }: TopicState): boolean {
  return (actual?.replication ?? 0) >= declared.replication;
}

export const TOPIC_COLUMNS: readonly Column<TopicRow>[] = [
  { title: 'TOPIC', cell: (row) => row.topic },
  { title: 'WHAT', cell: (row) => row.what },
  { title: 'AT LEAST', align: 'right', cell: (row) => row.declared },
  { title: 'IS', align: 'right', cell: (row) => row.actual },
  { title: 'STATE', cell: (row) => row.state },
];

export function topicsDocument(plan: TopicPlan): Topics {
  return {
    brokers: plan.brokers,
    topics: plan.topics.map(({ message, declared, actual, possibleReplication }) => ({
      message,
      topic: declared.topic,
      exists: actual !== null,
      partitions: { declared: declared.partitions, actual: actual?.partitions ?? null },
      replication: {
        declared: declared.replication,
        possible: possibleReplication,
        actual: actual?.replication ?? null,
      },
      configs: Object.entries(declared.configs).map(([name, least]) => ({
        name,
        declared: String(least),
        actual: actual?.configs.get(name) ?? null,
      })),
      compacted: compactedPolicy(actual) !== null,
    })),
    actions: plan.actions.map(actionDocument),
    warnings: plan.warnings,
  };
}

export function actionDocument(action: TopicAction): TopicActionDocument {
  switch (action.kind) {
    case 'create': {
      const { topic, partitions, configs } = action.declared;
      return { action: 'create', topic, partitions, replication: action.replication, configs };
    }
    case 'add_partitions':
      return { action: 'add_partitions', topic: action.topic, before: action.from, after: action.to };
    case 'alter_config': {
      const { topic, name, from, to } = action;
      return { action: 'alter_config', topic, name, before: from, after: to };
    }
  }
}

/** `topic orders: partitions 2 → 6` */
export function actionLine(action: TopicAction): string {
  switch (action.kind) {
    case 'create': {
      const { topic, partitions, configs } = action.declared;
      const set = Object.entries(configs).map(([name, value]) => `${name} ${value}`);
      return `create ${topic}: ${[`${partitions} partitions`, `replication ${action.replication}`, ...set].join(', ')}`;
    }
    case 'add_partitions':
      return `change ${action.topic}: partitions ${action.from} → ${action.to}`;
    case 'alter_config':
      return `change ${action.topic}: ${action.name} ${action.from ?? 'none'} → ${action.to}`;
  }
}
