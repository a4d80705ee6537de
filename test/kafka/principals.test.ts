import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN } from '../../deploy/kafka/security.mjs';
import { ROLES, type Role } from '../../src/app/acl/wanted.ts';
import { processors } from '../../src/processors/index.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';
import {
  joinable,
  operationsOnGroups,
  operationsOnTopics,
  readable,
  transactional,
  writable,
} from '../support/access.ts';
import { finish, type Shop } from '../support/cli.ts';
import { rightsOf } from '../support/rights.ts';
import { ask, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { SecureKafka, userOf } from '../support/secure-kafka.ts';
import { waitFor } from '../support/wait.ts';

/** Each principal on a real Kafka: a shop in which each does its part, and what each may, and may not, of everything. */

/** A process for each processor is at work: on a busy machine that takes its time. */
const TIMEOUT_MS = 300_000;
const COMMAND_MS = 150_000;
const PROCESSORS = processors(PLAIN_SHOP).map(({ name }) => name);

let kafka: SecureKafka;
beforeAll(async () => {
  kafka = await SecureKafka.start();
}, TIMEOUT_MS);
afterAll(() => kafka[Symbol.asyncDispose]());

/** A shop on a database; commands run as `user`. */
function shopAs(user: string, database: TestPostgres): Shop {
  return kafka.shopAs(user, { ORDERCTL_STORE: database.url, ORDERCTL_STORAGE: '' });
}

/** Whatever a test before has left, there are the rights of this shop and no others. */
async function setUp(admin: Shop): Promise<void> {
  await admin.ok('setup --execute', { timeoutMs: COMMAND_MS });
  await admin.ok('acl apply --remove-extra --execute', { timeoutMs: COMMAND_MS });
  // The broker takes over what the controller has stored a moment later.
  await waitFor(
    'all rules, and no others',
    () => admin.json('acl apply --remove-extra', { timeoutMs: COMMAND_MS }),
    ({ actions }) => (actions as unknown[]).length === 0,
    { timeoutMs: COMMAND_MS },
  );
}

test(
  'on PostgreSQL each does all its work as a principal of its own, and may nothing else',
  { timeout: TIMEOUT_MS },
  async () => {
    await using database = await startTestPostgres();
    await setUp(shopAs(ADMIN, database));
    await work(database);
    await createTopicsOfConnect('connect');
    await expectRights({ isShared: true });
  },
);

/** Every processor in a process of its own: orders of both flows, a sale and a delivery. */
async function work(database: TestPostgres): Promise<void> {
  const admin = shopAs(ADMIN, database);
  await admin.ok('user add alice --status paid', { timeoutMs: COMMAND_MS });
  await admin.ok('inventory add pen --quantity 10 --price 2.50', { timeoutMs: COMMAND_MS });
  const runs = new Map(
    PROCESSORS.map((role) => [role, shopAs(userOf(role), database).start(`run ${role} --no-create`)]),
  );
  const send = (role: Role, line: string) =>
    shopAs(userOf(role), database).ok(`produce --item pen=${line}`, { timeoutMs: COMMAND_MS });
  await send('api', '2 --user alice --order-id D-1');
  await send('api', '2 --user alice --order-id C-1 --flow checkout');
  await send('tills', '2 --source store --store-id S1');
  await send('suppliers', '3 --source supplier --supplier-id ACME');
  const done = Promise.all([
    runs.get('delivery')?.says(/Order C-1 is on its way/, COMMAND_MS),
    // No other sum of some of the four is that.
    waitFor(
      'the stock of all four',
      () => ask<{ quantity: number }>(database.url, 'SELECT quantity::int FROM orderctl.inventory'),
      ([pen]) => pen?.quantity === 7,
      { timeoutMs: COMMAND_MS },
    ),
  ]);
  const ended = [...runs].map(([role, run]) =>
    run.exited.then(({ code, stderr }) => {
      throw new Error(`${role} ended with ${code ?? 'a signal'}: ${stderr}`);
    }),
  );
  await Promise.race([done, ...ended]);
  for (const run of runs.values()) run.signal('SIGTERM');
  for (const [role, run] of runs) {
    const { code, stderr } = await finish(run, role, COMMAND_MS);
    expect(code, `${role}: ${stderr}`).toBe(0);
  }
  await shopAs(userOf('operator'), database).ok('audit --with-topic', { timeoutMs: COMMAND_MS });
}

// One process sends for all, so that each may less.
test('in a folder each may less, and nothing else', { timeout: TIMEOUT_MS }, async () => {
  await setUp(kafka.shopAs(ADMIN));
  await createTopicsOfConnect();
  await expectRights({ isShared: false });
});

/** What a principal may do: on each topic, each group and the cluster; and what came of trying. */
interface Access {
  readonly topics: Readonly<Record<string, readonly string[]>>;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly cluster: readonly string[];
  readonly writes: readonly string[];
  readonly reads: readonly string[];
  readonly joins: readonly string[];
  readonly transactions: readonly string[];
}

/** What is asked of each principal. */
interface Resources {
  readonly topics: readonly string[];
  readonly groups: readonly string[];
  readonly transactions: readonly string[];
}

async function expectRights({ isShared }: { isShared: boolean }): Promise<void> {
  const asked = everything();
  await makeCoordinators(asked.groups);
  const found: Partial<Record<Role, Access>> = {};
  // In turn: a connection lasts as long as its session.
  for (const role of ROLES) found[role] = await accessOf(role, asked);
  expect(found).toEqual(Object.fromEntries(ROLES.map((role) => [role, expected(role, isShared, asked)])));
}

/** All that any role may use, in whichever store. */
function everything(): Resources {
  const keys = new Set(ROLES.flatMap((role) => Object.keys(rightsOf(role, true))));
  const named = (kind: string): string[] =>
    [...keys].filter((key) => key.startsWith(kind)).map((key) => key.slice(kind.length));
  const groups = named('group ');
  // Nobody needs one: those that would be likely.
  return { topics: named('topic '), groups, transactions: [...groups, ...ROLES.map(userOf)] };
}

function expected(role: Role, isShared: boolean, { topics, groups }: Resources): Access {
  const rights = rightsOf(role, isShared);
  const may = (key: string): string[] => withImplied(rights[key] ?? []);
  const all = (kind: string, names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, may(`${kind} ${name}`)]));
  const those = (kind: string, names: readonly string[], operation: string) =>
    names.filter((name) => may(`${kind} ${name}`).includes(operation));
  return {
    topics: all('topic', topics),
    groups: all('group', groups),
    cluster: may('cluster kafka-cluster'),
    writes: those('topic', topics, 'write'),
    reads: those('topic', topics, 'read'),
    joins: those('group', groups, 'read'),
    transactions: [],
  };
}

/** A group has none until somebody asks for it. */
async function makeCoordinators(groups: readonly string[]): Promise<void> {
  const client = kafka.clientOf(ADMIN);
  try {
    const join = async () => joinable(await client.coordinator(groups[0] ?? ''), groups);
    await waitFor('coordinators', join, (found) => found.length === groups.length);
  } finally {
    client.close();
  }
}

/** As Connect does. */
async function createTopicsOfConnect(role?: Role): Promise<void> {
  const names = Object.entries(rightsOf('connect', true))
    .filter(([, operations]) => operations.includes('create'))
    .map(([key]) => key.slice('topic '.length));
  const one = { numPartitions: 1, replicationFactor: 1, configEntries: [] };
  const topics = names.map((topic) => ({ topic, ...one }));
  const client = kafka.clientOf(role === undefined ? ADMIN : userOf(role));
  try {
    const isThere = (await client.topics(names)).topics.length === names.length;
    if (!isThere) await (await client.anyNode()).createTopics({ topics, timeout: 10_000 });
    // The broker takes them over a moment after the controller has them.
    await waitFor(
      'the topics of Connect',
      () => client.topics(names),
      ({ topics: found }) => found.length === 2 && found.every(({ errorCode }) => errorCode === 0),
    );
  } finally {
    client.close();
  }
}

async function accessOf(role: Role, { topics, groups, transactions }: Resources): Promise<Access> {
  const client = kafka.clientOf(userOf(role));
  try {
    const node = await client.anyNode();
    return {
      ...(await operationsOnTopics(node, topics)),
      groups: await operationsOnGroups(node, groups),
      writes: await writable(node, topics),
      reads: await readable(node, topics),
      joins: await joinable(node, groups),
      transactions: await transactional(node, transactions),
    };
  } finally {
    client.close();
  }
}

/** Who may read, write, delete or alter may describe; who may change settings sees them (Kafka's AclOperation). */
function withImplied(operations: readonly string[]): string[] {
  const all = new Set(operations);
  if (['read', 'write', 'delete', 'alter'].some((one) => all.has(one))) all.add('describe');
  if (all.has('alter_configs')) all.add('describe_configs');
  return [...all].sort();
}
