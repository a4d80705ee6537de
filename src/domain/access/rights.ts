/** The kinds of Kafka resource that rules can cover. Transactional ids are left out: orderctl uses none. */
export type ResourceKind = 'topic' | 'group' | 'cluster';

/** Named as in Kafka. orderctl does not need all of them, but existing rules may contain any. */
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

/** An operation that a principal needs on a resource. */
export interface Right {
  /** The authenticated user as the brokers name it: `User:orderctl.payment`. */
  readonly principal: string;
  readonly resource: ResourceKind;
  /** Name of the topic or group; `kafka-cluster` for the cluster. */
  readonly name: string;
  readonly operation: Operation;
}

/** An ACL of the cluster. */
export interface AccessRule extends Omit<Right, 'resource'> {
  readonly resource: ResourceKind | 'other';
  /** `prefixed`: `name` is a prefix. The literal name `*` matches every name. */
  readonly pattern: 'literal' | 'prefixed' | 'other';
  /** The client's host; `*` matches any host. */
  readonly host: string;
  /** Deny takes precedence over allow. */
  readonly permission: 'allow' | 'deny' | 'other';
}

/** Kafka's resource name for the cluster. */
export const CLUSTER = 'kafka-cluster';

export function ruleOf(right: Right): AccessRule {
  return { ...right, pattern: 'literal', host: '*', permission: 'allow' };
}

/** A key that is equal for equal rules. */
export function idOfRule(rule: AccessRule): string {
  const { principal, resource, pattern, name, operation, permission, host } = rule;
  return JSON.stringify([principal, resource, pattern, name, operation, permission, host]);
}

/** Whether a rule covers the resource of a right. */
export function concerns(rule: AccessRule, { resource, name }: Pick<Right, 'resource' | 'name'>): boolean {
  if (rule.resource !== resource) return false;
  if (rule.pattern === 'prefixed') return name.startsWith(rule.name);
  return rule.name === name || rule.name === '*';
}
