import type { AccessRule, Operation } from '../../../domain/access/rights.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { answerOf } from '../protocol/errors.ts';
import { createErrorFromCode, type BrokerNode, type KafkaAcl } from '../protocol/kafkajs.ts';

/* Kafka's numbers: org.apache.kafka.common.resource.ResourceType, .acl.AclOperation, .acl.AclPermissionType. */
const RESOURCES = numbers({ topic: 2, group: 3, cluster: 4 });
const PATTERNS = numbers({ literal: 3, prefixed: 4 });
const PERMISSIONS = numbers({ deny: 2, allow: 3 });
const OPERATIONS = numbers<Exclude<Operation, 'other'>>({
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  cluster_action: 9,
  describe_configs: 10,
  alter_configs: 11,
  idempotent_write: 12,
});
const ANY = 1;
const NO_ERROR = 0;

interface Numbers<Name extends string> {
  readonly of: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<number, Name>;
}

function numbers<Name extends string>(all: Readonly<Record<Name, number>>): Numbers<Name> {
  const pairs = Object.entries(all) as [Name, number][];
  return { of: new Map(pairs), names: new Map(pairs.map(([name, number]) => [number, name])) };
}

/** @returns null when the brokers check no access rules, or do not know this request */
export async function readAcls(client: KafkaClient): Promise<AccessRule[] | null> {
  const node = await client.anyNode();
  try {
    const { errorCode, resources } = await node.describeAcls({
      resourceType: ANY,
      resourceName: null,
      resourcePatternType: ANY,
      principal: null,
      host: null,
      operation: ANY,
      permissionType: ANY,
    });
    if (errorCode !== NO_ERROR) throw createErrorFromCode(errorCode);
    return resources.flatMap(({ acls, ...resource }) =>
      acls.map((acl) => ({
        principal: acl.principal,
        resource: RESOURCES.names.get(resource.resourceType) ?? 'other',
        pattern: PATTERNS.names.get(resource.resourcePatternType) ?? 'other',
        name: resource.resourceName,
        operation: OPERATIONS.names.get(acl.operation) ?? 'other',
        permission: PERMISSIONS.names.get(acl.permissionType) ?? 'other',
        host: acl.host,
      })),
    );
  } catch (error) {
    if (answerOf(error) === 'SECURITY_DISABLED' || isUnknown(error)) return null;
    throw error;
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && error.name === 'KafkaJSServerDoesNotSupportApiKey';
}

export async function createAcls(client: KafkaClient, rules: readonly AccessRule[]): Promise<void> {
  await (await controller(client)).createAcls({ acl: rules.map(aclOf) });
}

export async function deleteAcls(client: KafkaClient, rules: readonly AccessRule[]): Promise<void> {
  await (await controller(client)).deleteAcls({ filters: rules.map(aclOf) });
}

async function controller(client: KafkaClient): Promise<BrokerNode> {
  const { controllerId } = await client.metadata([]);
  return client.node(controllerId);
}

function aclOf({ principal, host, resource, pattern, name, operation, permission }: AccessRule): KafkaAcl {
  return {
    resourceType: numberOf(RESOURCES, resource),
    resourceName: name,
    resourcePatternType: numberOf(PATTERNS, pattern),
    principal,
    host,
    operation: numberOf(OPERATIONS, operation),
    permissionType: numberOf(PERMISSIONS, permission),
  };
}

function numberOf(all: Numbers<string>, name: string): number {
  const found = all.of.get(name);
  if (found === undefined) throw new Error(`access rules about ${name} cannot be changed`);
  return found;
}
