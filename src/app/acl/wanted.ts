import { Failure } from '../../domain/failure.ts';
import { CLUSTER, type Operation, type Right } from '../../domain/access/rights.ts';
import { MESSAGES } from '../../domain/messages/index.ts';
import type { DeclaredMessage, ProcessorName, Sender } from '../../domain/messages/message.ts';
import { deadLetterTopicOf, topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import { ALERT } from '../../domain/messages/shop/alert.ts';
import { INVENTORY_EVENT } from '../../domain/messages/shop/inventory-event.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import { ORDER_CREATED } from '../../domain/messages/checkout/order-created.ts';
import { INVENTORY_UPDATE } from '../../domain/messages/stock/inventory-update.ts';
import { processors } from '../../processors/index.ts';
import { PLAIN_SHOP } from '../../processors/options.ts';
import { groupOf } from '../run/groups.ts';

/** A role with its own rights: each processor, the HTTP API, external senders, and the operator. */
export type Role = ProcessorName | 'api' | 'shops' | 'tills' | 'suppliers' | 'connect' | 'operator';

/** Senders in the catalogue that are not processors; commands are run by the operator. */
const SENDER_OF: Partial<Record<Role, Sender>> = {
  api: 'API',
  shops: 'shops',
  tills: 'tills',
  suppliers: 'suppliers',
};

const PROCESSORS: readonly ProcessorName[] = processors(PLAIN_SHOP).map(({ name }) => name);

export const ROLES: readonly Role[] = [
  ...PROCESSORS,
  'api',
  'shops',
  'tills',
  'suppliers',
  'connect',
  'operator',
];

/**
 * The topics and groups of the connectors in deploy/connect, apart from messages of the catalogue: the topics that
 * Debezium writes for the stock tables, and the groups of the connectors that copy topics to tables.
 */
const CONNECT = {
  topics: ['orderctl_stock.orderctl.products', 'orderctl_stock.orderctl.inventory'],
  groups: ['connect-stock-copies', 'connect-inventory-updates'],
};

/** The properties of a shop that its rights depend on. */
export interface ShopOfRights {
  readonly names: TopicNames;
  readonly group: string;
  /** Whether manual changes of stock are announced, by whichever process owns the store. */
  readonly hasEvents: boolean;
  /** Whether several processes share one store: each sends its waiting messages, whichever processor they are from. */
  readonly isShared: boolean;
  /** The user that each role authenticates as, with placeholders `{group}` and `{role}`. Roles may share one. */
  readonly principal: string;
}

/** The operations that are needed on each topic. */
type Topics = Map<string, Set<Operation>>;

/** @param names empty: all roles @throws Failure usage: there is no such role */
export function selectRoles(names: readonly string[]): readonly Role[] {
  const unknown = names.find((name) => !ROLES.some((role) => role === name));
  if (unknown !== undefined) {
    throw new Failure('usage', `there is no role ${JSON.stringify(unknown)}`, {
      fix: `choose from ${ROLES.join(', ')}`,
    });
  }
  return names.length === 0 ? ROLES : ROLES.filter((role) => names.includes(role));
}

/** The principal of a role, in the form used in rules: `User:…`. */
export function principalOf(
  role: Role,
  { group, principal }: Pick<ShopOfRights, 'group' | 'principal'>,
): string {
  return principal.replaceAll('{group}', group).replaceAll('{role}', role);
}

/**
 * The least rights that each role needs to work with topics that exist; creating topics requires an administrator.
 * Reading and writing include describing.
 */
export function wantedRights(shop: ShopOfRights, roles: readonly Role[]): Right[] {
  const rights = new Map<string, Right>();
  for (const role of roles) {
    const principal = principalOf(role, shop);
    const topics = topicsOf(role, shop);
    const all: Omit<Right, 'principal'>[] = [...topics].flatMap(([name, operations]) =>
      [...operations].map((operation) => ({ resource: 'topic' as const, name, operation })),
    );
    for (const processor of PROCESSORS) {
      if (role !== processor && role !== 'operator') continue;
      all.push({ resource: 'group', name: groupOf(processor, shop.group), operation: 'read' });
    }
    if (role === 'connect' && shop.isShared) {
      for (const name of CONNECT.groups) all.push({ resource: 'group', name, operation: 'read' });
    }
    // To list groups and access rules.
    if (role === 'operator') all.push({ resource: 'cluster', name: CLUSTER, operation: 'describe' });
    for (const right of all) rights.set(JSON.stringify([principal, right]), { principal, ...right });
  }
  return [...rights.values()];
}

function topicsOf(role: Role, shop: ShopOfRights): Topics {
  const topics: Topics = new Map();
  const add = (topic: string | null, ...operations: Operation[]): void => {
    if (topic === null) return;
    const known = topics.get(topic) ?? new Set();
    for (const operation of operations) known.add(operation);
    topics.set(topic, known);
  };
  const { names } = shop;
  const topic = (message: DeclaredMessage): string => topicOf(message, names);
  const dead = (message: DeclaredMessage): string | null => deadLetterTopicOf(message, names);
  for (const message of MESSAGES) {
    if (role === 'operator') {
      for (const name of [topic(message), dead(message)])
        add(name, 'read', 'write', 'create', 'alter', 'describe_configs', 'alter_configs');
      continue;
    }
    const sender = SENDER_OF[role];
    if (sender !== undefined) {
      if (message.writers.includes(sender)) add(topic(message), 'write');
      continue;
    }
    const reader = message.readers.find((name) => name === role);
    if (reader !== undefined) {
      add(topic(message), 'read');
      // The first of several readers sends the dead letters; the others only check that the topic exists.
      if (message.readers[0] === reader) add(dead(message), 'write');
      else add(dead(message), 'describe');
    }
    if (message.writers.some((name) => name === role)) add(topic(message), 'write');
  }
  if (role === 'api') {
    for (const message of [ORDER, ORDER_CREATED, ALERT]) add(topic(message), 'read');
    for (const message of MESSAGES) add(dead(message), 'read');
  }
  // It copies tables of a database; a folder has none.
  if (role === 'connect' && shop.isShared) {
    add(topic(ORDER), 'write');
    add(topic(INVENTORY_UPDATE), 'read');
    for (const name of CONNECT.topics) add(name, 'create', 'write', 'read');
  }
  if (PROCESSORS.some((name) => name === role)) addWaiting(add, { topic, dead }, shop);
  return topics;
}

/** Adds what a process of the shop sends in addition to the messages of its own processor. */
function addWaiting(
  add: (topic: string | null, operation: Operation) => void,
  { topic, dead }: Record<'topic' | 'dead', (message: DeclaredMessage) => string | null>,
  { hasEvents, isShared }: ShopOfRights,
): void {
  for (const message of hasEvents ? [INVENTORY_EVENT, ALERT] : []) add(topic(message), 'write');
  if (!isShared) return;
  for (const message of MESSAGES) {
    if (message.writers.some((name) => PROCESSORS.some((one) => one === name))) add(topic(message), 'write');
    add(dead(message), 'write');
  }
}
