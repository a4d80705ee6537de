import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startKafkaNodes } from '../../deploy/kafka/broker.mjs';
import { findJava, installJars } from '../../deploy/kafka/install.mjs';
import { ADMIN, prepareSecurity } from '../../deploy/kafka/security.mjs';
import { freePort } from '../../deploy/kafka/services.mjs';
import { fill, finish, openShop, parseLines, type Shop } from '../support/cli.ts';
import { clientOf, signIn } from '../support/secure-kafka.ts';
import { waitFor } from '../support/wait.ts';

/** Three brokers with TLS, SCRAM and rules, as `npm run kafka -- --secure --nodes 3` starts them. */

const TIMEOUT_MS = 180_000;
/** Three JVMs, and three more that prepare their folders. */
const START_MS = 240_000;
const COMMAND_MS = 90_000;
const ORDERS = 200;
/** They take ten seconds: a broker is killed in the middle. */
const PER_SECOND = 20;

let folder: string;
let nodes: Awaited<ReturnType<typeof startKafkaNodes>> = [];
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-secure-nodes-'));
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const installation = { java: findJava(), jars: await installJars(() => undefined) };
  nodes = await startKafkaNodes(installation, { folder, ports, security: prepareSecurity(folder) });
}, START_MS);
afterAll(async () => {
  for (const node of nodes) node.signal('SIGKILL');
  await Promise.all(nodes.map(({ exited }) => exited));
  fs.rmSync(folder, { recursive: true, force: true });
});

test('orders flow on while a broker of a secured cluster is killed', { timeout: TIMEOUT_MS }, async () => {
  const brokers = nodes.map(({ address }) => address).join(',');
  const group = 'orderctl';
  const as = (user: string) => ({ env: signIn(folder, user, brokers), timeoutMs: COMMAND_MS });
  const shop = openShop({ ORDERCTL_TOPIC: 'orders', ORDERCTL_GROUP: group });
  fill(shop, { alice: 'paid' }, { pen: 1_000_000 });
  await shop.ok('setup orders --execute', as(ADMIN));
  await shop.ok('acl apply api operator --execute', as(ADMIN));
  await waitFor(
    'all rules',
    () => shop.json('acl apply orders api operator', as(ADMIN)),
    ({ actions }) => (actions as unknown[]).length === 0,
  );

  const consumer = shop.start('consume --no-create', as(`${group}.orders`));
  await consumer.says(/consuming/, COMMAND_MS);
  const producer = shop.start(`produce --count ${ORDERS} --rate ${PER_SECOND} -o json`, as(`${group}.api`));
  await waitFor('the first orders', () => decided(shop).length >= PER_SECOND);
  // The first of the addresses, and the leader of some partitions.
  const client = clientOf(folder, `${group}.operator`, brokers);
  const { topic } = await client.topic('orders').finally(() => client.close());
  expect(topic?.partitions.map(({ leader }) => leader)).toContain(1);
  nodes[0]?.signal('SIGKILL');
  await nodes[0]?.exited;
  const already = decided(shop).length;
  expect(already).toBeLessThan(ORDERS);

  const { code, stdout, stderr } = await finish(producer, 'produce', COMMAND_MS);
  expect(code, stderr).toBe(0);
  expect(parseLines(stdout).at(-1)).toMatchObject({ sent: ORDERS });
  await waitFor('every order', () => decided(shop).length >= ORDERS);
  expect(new Set(decided(shop)).size).toBe(ORDERS);
  consumer.signal('SIGTERM');
  expect(await finish(consumer, 'consume', COMMAND_MS)).toMatchObject({ code: 0 });
  await shop.ok('audit --with-topic', as(`${group}.operator`));
});

function decided(shop: Shop): string[] {
  return ['orders.jsonl', 'rejections.jsonl'].flatMap((file) =>
    shop.jsonl(file).map(({ order_id }) => order_id),
  );
}
