import type { StoreAccess } from '../../ports/access.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { SchemaTools } from '../../ports/schema-registry.ts';
import type { WantedTopic } from '../../domain/topics/declared-topics.ts';
import { checkSchema, type SchemaCheck } from '../schema/check.ts';
import { applyTopics, planTopics, type TopicAction, type TopicPlan } from '../topics/plan.ts';

export interface SetupPorts {
  readonly access: StoreAccess;
  readonly admin: BrokerAdmin;
  readonly tools: SchemaTools;
}

export interface WantedSchema {
  /** In the catalogue. */
  readonly message: string;
  readonly subject: string;
  readonly schema: string;
  /** For messages. */
  readonly what: string;
}

export type SetupAction =
  | { readonly kind: 'create_store'; readonly store: string }
  | TopicAction
  | { readonly kind: 'register_schema'; readonly wanted: WantedSchema; readonly after: readonly number[] };

export interface SetupPlan {
  readonly topics: TopicPlan;
  /** In the order in which they are carried out: what depends on nothing comes first. */
  readonly actions: readonly SetupAction[];
  /** Schemas that the registry would not take: with any of these nothing is carried out. */
  readonly refused: readonly { readonly check: SchemaCheck; readonly what: string }[];
}

/** Compares store, cluster and registry with what a run needs. Changes nothing. @throws Failure of each of them */
export async function planSetup(
  { access, admin, tools }: SetupPorts,
  wanted: { readonly topics: readonly WantedTopic[]; readonly schemas: readonly WantedSchema[] },
): Promise<SetupPlan> {
  const store: SetupAction[] = (await access.isThere()) ? [] : [{ kind: 'create_store', store: access.name }];
  const topics = await planTopics(admin, wanted.topics);
  const schemas: SetupAction[] = [];
  const refused: { check: SchemaCheck; what: string }[] = [];
  for (const one of wanted.schemas) {
    const { subject, schema, what } = one;
    const check = await checkSchema(tools, { subject, schema, name: what });
    const { registered, versions } = check.report;
    if (registered !== null) continue;
    if (!check.compatible) refused.push({ check, what });
    schemas.push({ kind: 'register_schema', wanted: one, after: versions });
  }
  return { topics, actions: [...store, ...topics.actions, ...schemas], refused };
}

/**
 * Carries out a plan, one action after the other; after a failure the next plan has what is left.
 *
 * @param on `done` is called after each
 * @throws Failure of store, cluster and registry
 */
export async function applySetup(
  { access, admin, tools }: SetupPorts,
  { topics, actions }: SetupPlan,
  on: {
    readonly notice: (notice: StoreNotice) => void;
    readonly done: (action: SetupAction) => Promise<void>;
  },
): Promise<void> {
  for (const action of actions) {
    switch (action.kind) {
      case 'create_store': {
        const store = await access.own({ purpose: 'setup', via: 'command', onNotice: on.notice });
        await store[Symbol.asyncDispose]();
        break;
      }
      case 'register_schema':
        await tools.registry.register(action.wanted.subject, action.wanted.schema);
        break;
      case 'create':
      case 'add_partitions':
      case 'alter_config':
        await applyTopics(admin, { ...topics, actions: [action] }, async () => undefined);
        break;
    }
    await on.done(action);
  }
}
