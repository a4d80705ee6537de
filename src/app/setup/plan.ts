import type { StoreAccess } from '../../ports/access.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { SchemaTools } from '../../ports/schema-registry.ts';
import type { WantedTopic } from '../../domain/topics/declared-topics.ts';
import { checkSchema, type SchemaCheck } from '../schema/check.ts';
import type { Right } from '../../domain/access/rights.ts';
import { isFailure, type Failure } from '../../domain/failure.ts';
import { applyAcls, planAcls, type AclAction, type AclPlan } from '../acl/plan.ts';
import { applyTopics, planTopics, type TopicAction, type TopicPlan } from '../topics/plan.ts';

export interface SetupPorts {
  readonly access: StoreAccess;
  readonly admin: BrokerAdmin;
  readonly tools: SchemaTools;
}

export interface WantedSchema {
  /** The name of the message in the catalogue. */
  readonly message: string;
  readonly subject: string;
  readonly schema: string;
  /** The name for messages to users. */
  readonly what: string;
}

export type SetupAction =
  | { readonly kind: 'create_store'; readonly store: string }
  | TopicAction
  | AclAction
  | { readonly kind: 'register_schema'; readonly wanted: WantedSchema; readonly after: readonly number[] };

export interface SetupPlan {
  readonly topics: TopicPlan;
  /** null: the brokers have no access rules. A failure: this user cannot read them. */
  readonly acls: AclPlan | Failure | null;
  /** In the order in which they are carried out: actions that depend on no others come first. */
  readonly actions: readonly SetupAction[];
  /** Schemas that the registry would refuse: if there are any, nothing is carried out. */
  readonly refused: readonly { readonly check: SchemaCheck; readonly what: string }[];
}

/**
 * Compares the store, the cluster with its access rules, and the registry with what a run needs. Changes nothing.
 *
 * @throws Failure as store, cluster and registry
 */
export async function planSetup(
  { access, admin, tools }: SetupPorts,
  wanted: {
    readonly topics: readonly WantedTopic[];
    readonly rights: readonly Right[];
    readonly schemas: readonly WantedSchema[];
  },
): Promise<SetupPlan> {
  const store: SetupAction[] = (await access.isThere()) ? [] : [{ kind: 'create_store', store: access.name }];
  const topics = await planTopics(admin, wanted.topics);
  const acls = await visibleAcls(admin, wanted.rights);
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
  const grants = acls === null || isFailure(acls) ? [] : acls.actions;
  return { topics, acls, actions: [...store, ...topics.actions, ...schemas, ...grants], refused };
}

/** Creating topics and reading access rules are separate permissions. */
async function visibleAcls(admin: BrokerAdmin, rights: readonly Right[]): Promise<SetupPlan['acls']> {
  try {
    return await planAcls(admin, rights, { removeExtra: false });
  } catch (error) {
    if (isFailure(error, 'broker_refused')) return error;
    throw error;
  }
}

/**
 * Carries out the actions of a plan in sequence, except for access rules, which are sent together. After a failure, a
 * new plan has the remaining actions.
 *
 * @param on `done` is called after each action
 * @throws Failure as store, cluster and registry
 */
export async function applySetup(
  { access, admin, tools }: SetupPorts,
  { topics, actions }: SetupPlan,
  on: {
    readonly notice: (notice: StoreNotice) => void;
    readonly done: (action: SetupAction) => Promise<void>;
  },
): Promise<void> {
  const grants: AclAction[] = [];
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
      case 'grant':
      case 'revoke':
        grants.push(action);
        continue;
    }
    await on.done(action);
  }
  await applyAcls(admin, grants, on.done);
}
