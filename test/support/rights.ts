import type { Role } from '../../src/app/acl/wanted.ts';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import { deadLetterTopicOf, topicOf } from '../../src/domain/messages/topic-names.ts';

/*
 * The rights of each role of a shop with the group `orderctl`, written down independently: the plan and a real Kafka
 * are compared with it. It therefore uses nothing that the plan uses, except the names of the topics.
 */

/**
 * Operations by resource: `topic orders`, `group orderctl`, `cluster kafka-cluster`. Sorted; implied ones are left out.
 */
type Rights = Readonly<Record<string, readonly string[]>>;

/** Names, separated by a blank. */
interface Listed {
  readonly reads?: string;
  readonly writes?: string;
  readonly describes?: string;
  readonly creates?: string;
  readonly joins?: string;
}

/** For a folder. All of its processors also write the topic that announces manual stock changes. */
const PROCESSORS: Readonly<Record<string, Listed & { readonly writes: string; readonly joins: string }>> = {
  orders: { reads: 'orders', writes: 'orders.dlq', joins: 'orderctl' },
  validation: {
    reads: 'orders.created',
    writes: 'orders.validated orders.rejected orders.created.dlq',
    joins: 'orderctl.validation',
  },
  payment: {
    reads: 'orders.validated inventory.rejected orders.cancelled',
    writes:
      'payments.processed payments.failed payments.refunded orders.validated.dlq inventory.rejected.dlq orders.cancelled.dlq',
    joins: 'orderctl.payment',
  },
  inventory: {
    reads: 'payments.processed orders.cancel',
    writes:
      'inventory.reserved inventory.rejected shipments.created orders.cancelled payments.processed.dlq orders.cancel.dlq',
    joins: 'orderctl.inventory',
  },
  warehouse: {
    reads: 'shipments.created shipments.dispatch',
    writes: 'shipments.dispatched shipments.created.dlq shipments.dispatch.dlq',
    joins: 'orderctl.warehouse',
  },
  notification: {
    reads:
      'orders.rejected payments.processed payments.failed payments.refunded shipments.created shipments.dispatched orders.cancelled',
    // For the other topics, the first reader sends the dead letters.
    writes:
      'notifications.outbound orders.rejected.dlq payments.failed.dlq payments.refunded.dlq shipments.dispatched.dlq',
    describes: 'payments.processed.dlq shipments.created.dlq orders.cancelled.dlq',
    joins: 'orderctl.notification',
  },
  delivery: {
    reads: 'notifications.outbound alerts',
    writes: 'notifications.outbound.dlq alerts.dlq',
    joins: 'orderctl.delivery',
  },
  stock: {
    reads: 'online_orders store_sales supplier_restocks',
    writes: 'inventory_updates dlq',
    joins: 'orderctl.stock',
  },
};
const BY_HAND = 'inventory-events alerts';
const DEAD_LETTERS =
  'orders.dlq orders.created.dlq orders.validated.dlq orders.rejected.dlq payments.processed.dlq payments.failed.dlq ' +
  'payments.refunded.dlq inventory.rejected.dlq shipments.created.dlq shipments.dispatch.dlq shipments.dispatched.dlq ' +
  'orders.cancel.dlq orders.cancelled.dlq notifications.outbound.dlq alerts.dlq dlq';

const OTHERS: Readonly<Record<string, Listed>> = {
  api: {
    reads: `orders orders.created alerts ${DEAD_LETTERS}`,
    writes: 'orders orders.created orders.cancel',
  },
  shops: { writes: 'online_orders' },
  tills: { writes: 'store_sales' },
  suppliers: { writes: 'supplier_restocks' },
};

const TABLES = 'orderctl_stock.orderctl.products orderctl_stock.orderctl.inventory';
/** A folder has no tables for this. */
const CONNECT: Listed = {
  reads: `inventory_updates ${TABLES}`,
  writes: `orders ${TABLES}`,
  creates: TABLES,
  joins: 'connect-stock-copies connect-inventory-updates',
};

const namesIn = (list = ''): string[] => list.split(' ').filter((name) => name !== '');

/** @param isShared on PostgreSQL each processor sends the messages that wait in the store, whichever processor wrote them */
export function rightsOf(role: Role, isShared: boolean): Rights {
  if (role === 'operator') return ofTheOperator();
  const processor = PROCESSORS[role];
  if (processor === undefined)
    return operationsOf(role === 'connect' ? (isShared ? CONNECT : {}) : (OTHERS[role] ?? {}));
  const all = Object.values(PROCESSORS).map(({ writes }) => writes);
  return operationsOf({
    ...processor,
    writes: [BY_HAND, processor.writes, ...(isShared ? all : [])].join(' '),
  });
}

function operationsOf({ reads, writes, describes, creates, joins }: Listed): Rights {
  const found = new Map<string, Set<string>>();
  const add = (kind: string, list: string | undefined, operation: string): void => {
    for (const name of namesIn(list)) {
      const key = `${kind} ${name}`;
      found.set(key, (found.get(key) ?? new Set()).add(operation));
    }
  };
  add('topic', reads, 'read');
  add('topic', writes, 'write');
  add('topic', describes, 'describe');
  add('topic', creates, 'create');
  add('group', joins, 'read');
  return Object.fromEntries([...found].map(([key, operations]) => [key, [...operations].sort()]));
}

function ofTheOperator(): Rights {
  const names = new Map<string, string>();
  const topics = MESSAGES.flatMap((message) => [topicOf(message, names), deadLetterTopicOf(message, names)]);
  const operations = ['alter', 'alter_configs', 'create', 'describe_configs', 'read', 'write'];
  const ofTopics = topics.filter((name) => name !== null).map((name) => [`topic ${name}`, operations]);
  const ofGroups = Object.values(PROCESSORS).map(({ joins }) => [`group ${joins}`, ['read']]);
  return Object.fromEntries([...ofTopics, ...ofGroups, ['cluster kafka-cluster', ['describe']]]) as Rights;
}
