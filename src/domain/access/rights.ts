/** What a rule of Kafka is about; transactional ids are not among them, since nothing here has one. */
export type ResourceKind = 'topic' | 'group' | 'cluster';

/** By Kafka's names; those that nothing here needs may stand in rules of others. */
export type Operation =
  | 'all'
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'cluster_action'
  | 'describe_configs'
  | 'alter_configs'
  | 'idempotent_write'
  | 'other';

/** One thing that somebody may do. */
export interface Right {
  /** As the brokers know who signed in: `User:orderctl.payment`. */
  readonly principal: string;
  readonly resource: ResourceKind;
  /** Of the topic or group; the cluster is called `kafka-cluster`. */
  readonly name: string;
  readonly operation: Operation;
}

/** A rule of the cluster (ACL). */
export interface AccessRule extends Omit<Right, 'resource'> {
  readonly resource: ResourceKind | 'other';
  /** `prefixed`: of all whose name begins like that. `*` as a literal name stands for all. */
  readonly pattern: 'literal' | 'prefixed' | 'other';
  /** From where; `*` is everywhere. */
  readonly host: string;
  /** A denial counts for more than what is allowed. */
  readonly permission: 'allow' | 'deny' | 'other';
}

/** Kafka's name for the only cluster there is. */
export const CLUSTER = 'kafka-cluster';

export function ruleOf(right: Right): AccessRule {
  return { ...right, pattern: 'literal', host: '*', permission: 'allow' };
}

/** Equal for rules that say the same. */
export function idOfRule(rule: AccessRule): string {
  const { principal, resource, pattern, name, operation, permission, host } = rule;
  return JSON.stringify([principal, resource, pattern, name, operation, permission, host]);
}

/** Whether a rule is about what a right is about. */
export function concerns(rule: AccessRule, { resource, name }: Pick<Right, 'resource' | 'name'>): boolean {
  if (rule.resource !== resource) return false;
  if (rule.pattern === 'prefixed') return name.startsWith(rule.name);
  return rule.name === name || rule.name === '*';
}
