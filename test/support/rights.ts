import type { Role } from '../../src/app/acl/wanted.ts';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import { deadLetterTopicOf, topicOf } from '../../src/domain/messages/topic-names.ts';

/*
 * What each role of a shop of the group `orderctl` may do, written down: what is planned and what a real Kafka allows are
 * compared with it. So it is made of nothing that the plan is made of but the names of the topics.
 */

/** Operations by what they are on: `topic orders`, `group orderctl`, `cluster kafka-cluster`. Sorted; implied ones left out. */
type Rights = Readonly<Record<string, readonly string[]>>;

/** Names, with a blank between them. */
interface Listed {
  readonly reads?: string;
  readonly writes?: string;
  readonly describes?: string;
  readonly creates?: string;
  readonly joins?: string;
}

/** Of a folder. All of them write what announces changes of stock by hand, too. */
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
    // Of the others the first reader sends the dead letters.
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
    writes: 'orders orders.created orders.cancel shipments.dispatch',
  },
  shops: { writes: 'online_orders' },
  tills: { writes: 'store_sales' },
  suppliers: { writes: 'supplier_restocks' },
};

const TABLES = 'orderctl_stock.orderctl.products orderctl_stock.orderctl.inventory';
/** A folder has no tables for it. */
const CONNECT: Listed = {
  reads: `inventory_updates ${TABLES}`,
  writes: `orders ${TABLES}`,
  creates: TABLES,
  joins: 'connect-stock-copies connect-inventory-updates',
};

const namesIn = (list = ''): string[] => list.split(' ').filter((name) => name !== '');

/** @param isShared on PostgreSQL each processor sends what waits in the store, whichever of them it is of */
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
