import { expect, test } from 'vitest';
import { createAdmin } from '../../../src/adapters/kafka/admin/admin.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { waitFor } from '../../support/wait.ts';

const PARTITIONS = 2;

async function creating(prepare: (cluster: ScriptedCluster) => void) {
  const cluster = await ScriptedCluster.start(3, [0, 1]);
  prepare(cluster);
  const admin = await createAdmin({ brokers: cluster.addresses, clientId: 'test', tls: null, sasl: null });
  return { cluster, admin, created: admin.createTopic('orders', { partitions: PARTITIONS }) };
}

test('a topic is created once every node knows it: the next question may go to any', async () => {
  const { cluster, admin, created } = await creating(({ ignorant }) => ignorant.add(2));
  const asked = waitFor(
    'the node to be asked three times',
    () => cluster.asked.get(2) ?? 0,
    (times) => times >= 3,
  );
  const first = await Promise.race([asked.then(() => 'asked again'), created.then(() => 'created')]);
  expect(first).toBe('asked again');
  cluster.ignorant.clear();
  expect(await created).toBe(true);
  await admin[Symbol.asyncDispose]();
});

test('a node that has just died is not waited for', async () => {
  const { admin, created } = await creating(({ dead }) => dead.add(2));
  expect(await created).toBe(true);
  await admin[Symbol.asyncDispose]();
});

test('a node that hears of nothing new, as one that is cut off from the others, is waited for three seconds', async () => {
  const { admin, created } = await creating(({ ignorant }) => ignorant.add(2));
  expect(await created).toBe(true);
  await admin[Symbol.asyncDispose]();
});

test('a topic exists though the node that is asked first was cut off before it was created, and another one has died', async () => {
  const cluster = await ScriptedCluster.start(3, [2, 2]);
  cluster.ignorant.add(0);
  cluster.dead.add(1);
  await using admin = await createAdmin({
    brokers: cluster.addresses,
    clientId: 'test',
    tls: null,
    sasl: null,
  });
  expect(await admin.partitionCount('orders')).toBe(PARTITIONS);
  cluster.ignorant.add(2);
  expect(await admin.partitionCount('orders')).toBeUndefined();
});
