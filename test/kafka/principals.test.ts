import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ADMIN, USERS } from '../../deploy/kafka/security.mjs';
import { ROLES, wantedRights, type ShopOfRights } from '../../src/app/acl/wanted.ts';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import { deadLetterTopicOf, topicOf } from '../../src/domain/messages/topic-names.ts';
import { finish, openShop, type Shop } from '../support/cli.ts';
import { runPython, withoutPython } from '../support/peers.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { SecureKafka } from '../support/secure-kafka.ts';
import { waitFor } from '../support/wait.ts';

/** Each principal of the catalogue on a real Kafka: what it may, what it may not, and a shop in which each does its part. */

const RIGHTS = path.resolve(import.meta.dirname, '../e2e/peers/rights.py');
const TIMEOUT_MS = 290_000;
const COMMAND_MS = 120_000;
const PROCESSORS = ROLES.slice(0, 8);
const SHOP: ShopOfRights = {
  ...{ names: new Map<string, string>(), group: 'orderctl', principal: 'User:{group}.{role}' },
  ...{ hasEvents: true, isShared: true },
};
const TOPICS = [
  ...new Set(
    MESSAGES.flatMap((message) => [topicOf(message, SHOP.names), deadLetterTopicOf(message, SHOP.names)]),
  ),
].filter((name) => name !== null);

let kafka: SecureKafka;
let database: TestPostgres;
beforeAll(async () => {
  [kafka, database] = await Promise.all([SecureKafka.start(), startTestPostgres()]);
}, TIMEOUT_MS);
afterAll(async () => {
  await kafka[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** A shop on the database; commands run as `user`. */
function shopAs(user: string): Shop {
  return openShop({
    ...kafka.as(user),
    ...{ ORDERCTL_STORE: database.url, ORDERCTL_STORAGE: '' },
    ...{ ORDERCTL_TOPIC: 'orders', ORDERCTL_GROUP: SHOP.group, ORDERCTL_EVENTS: 'true' },
  });
}

test(
  'a shop in which each processor is a principal of its own does all its work',
  { timeout: TIMEOUT_MS },
  async () => {
    const admin = shopAs(ADMIN);
    await admin.ok('store init');
    await admin.ok('setup --execute', { timeoutMs: COMMAND_MS });
    await admin.ok('user add alice --status paid');
    await admin.ok('inventory add pen --quantity 10 --price 2.50');
    const running = PROCESSORS.map((role) => {
      const run = shopAs(`orderctl.${role}`).start(`run ${role} --no-create`);
      onTestFinished(() => run.signal('SIGKILL'));
      return { role, run };
    });
    const send = (role: string, ...args: string[]) =>
      shopAs(`orderctl.${role}`).ok(['produce', ...args, '--item', 'pen=2'], { timeoutMs: COMMAND_MS });
    const order = ['--user', 'alice', '--order-id'];
    await send('api', ...order, 'D-1');
    await send('api', '--flow', 'checkout', ...order, 'C-1');
    await send('tills', '--source', 'store', '--store-id', 'S1');
    await send('suppliers', '--source', 'supplier', '--supplier-id', 'ACME');
    await waitFor(
      'the stock of all four',
      () => admin.json('inventory log pen'),
      (log) => JSON.stringify(log).match(/"delta":/g)?.length === 4,
      { timeoutMs: COMMAND_MS },
    );
    await waitFor(
      'the checkout',
      () => admin.json('order show C-1'),
      ({ status }) => status === 'COMPLETED',
      { timeoutMs: COMMAND_MS },
    );
    for (const { role, run } of running) {
      run.signal('SIGTERM');
      const { code, stderr } = await finish(run, role, COMMAND_MS);
      expect(code, `${role}: ${stderr}`).toBe(0);
      expect(stderr, role).not.toMatch(/not authorized|refused/i);
    }
    const audit = await shopAs('orderctl.operator').run('audit --with-topic', { timeoutMs: COMMAND_MS });
    expect(audit.code, audit.stdout + audit.stderr).toBe(0);
  },
);

test.skipIf(withoutPython)(
  'each principal may do what the catalogue says, and is refused everything else',
  { timeout: TIMEOUT_MS },
  async () => {
    await expectRights(SHOP);
    // On a folder one process sends for all, so that each may less.
    const folder = openShop({
      ...kafka.as(ADMIN),
      ...{ ORDERCTL_TOPIC: 'orders', ORDERCTL_GROUP: SHOP.group, ORDERCTL_EVENTS: 'true' },
    });
    await folder.ok('acl apply --remove-extra --execute', { timeoutMs: COMMAND_MS });
    await expectRights({ ...SHOP, isShared: false });
  },
);

interface Found {
  readonly topics: Readonly<Record<string, readonly string[]>>;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly refused: Readonly<Record<'write' | 'read' | 'group', Readonly<Record<string, string | null>>>> & {
    readonly transaction: string | null;
  };
}

async function expectRights(shop: ShopOfRights): Promise<void> {
  const rights = wantedRights(shop, ROLES);
  const groups = [...new Set(rights.filter(({ resource }) => resource === 'group').map(({ name }) => name))];
  expect(groups.length).toBe(PROCESSORS.length);
  const passwords = USERS.map((user) => [user, fs.readFileSync(kafka.passwordFile(user), 'utf8').trim()]);
  const found = (await runPython(
    RIGHTS,
    {
      ...{ brokers: `127.0.0.1:${kafka.ports.clients}`, ca: path.join(kafka.folder, 'ca.pem') },
      ...{ users: Object.fromEntries(passwords) as object, topics: TOPICS, groups },
    },
    COMMAND_MS,
  )) as Record<string, Found>;
  for (const user of USERS) {
    const may = (resource: string, name: string): string[] =>
      withImplied(
        rights
          .filter((one) => one.principal === `User:${user}` && one.resource === resource && one.name === name)
          .map(({ operation }) => operation.toUpperCase()),
      );
    const all = (resource: string, names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, may(resource, name)]));
    const refused = (resource: string, names: readonly string[], operation: string, error: string) =>
      Object.fromEntries(
        names.filter((name) => !may(resource, name).includes(operation)).map((name) => [name, error]),
      );
    expect(found[user], user).toEqual({
      topics: all('topic', TOPICS),
      groups: all('group', groups),
      refused: {
        write: refused('topic', TOPICS, 'WRITE', 'TOPIC_AUTHORIZATION_FAILED'),
        read: refused('topic', TOPICS, 'READ', 'TOPIC_AUTHORIZATION_FAILED'),
        group: refused('group', groups, 'READ', 'GROUP_AUTHORIZATION_FAILED'),
        transaction: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      },
    });
  }
}

/** Who may read, write, delete or alter may describe; who may change settings sees them (Kafka's AclOperation). */
function withImplied(operations: readonly string[]): string[] {
  const all = new Set(operations);
  if (['READ', 'WRITE', 'DELETE', 'ALTER'].some((one) => all.has(one))) all.add('DESCRIBE');
  if (all.has('ALTER_CONFIGS')) all.add('DESCRIBE_CONFIGS');
  return [...all].sort();
}
