import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { failureOf, observe, penShop } from '../support/cli.ts';
import { createTopic, pens, sendRaw, testBrokers } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

const KAFKA = path.resolve(import.meta.dirname, '../../deploy/kafka/kafka.mjs');

test("a member by Kafka's new group protocol is active: nothing is moved under it", async () => {
  const shop = penShop();
  await createTopic(shop.topic, 2);
  await sendRaw(shop.topic, pens('a', 6));
  await shop.ok('consume --until-end');
  await shop.ok('offsets reset --to earliest --execute');
  const before = await shop.json('offsets show');
  expect(before).toMatchObject({ group_state: 'empty' });

  const group = `${shop.group}-848`;
  const args = ['--group', group, '--topic', shop.topic, '--consumer-property', 'group.protocol=consumer'];
  const tool = [KAFKA, 'tool', 'console-consumer', '--bootstrap-server', testBrokers(), ...args];
  // The program is a child of the script: its own group, so that both end.
  const stranger = spawn(process.execPath, tool, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  observe(stranger, 'console-consumer');
  onTestFinished(() => void process.kill(-(stranger.pid ?? 0), 'SIGKILL'));
  const inGroup = { env: { ORDERCTL_GROUP: group } };
  await waitFor(
    'the member',
    () => shop.json('offsets show', inGroup),
    ({ group_state: state }) => state === 'stable',
    { timeoutMs: 60_000, everyMs: 500 },
  );

  const stored = async () => (await shop.json('offsets show', inGroup)).partitions.map((row) => row.stored);
  for (const args of [
    'offsets reset --to latest --execute',
    'offsets undo --execute',
    'consume --until-end',
  ]) {
    const refused = await shop.run(`${args} -o json`, inGroup);
    expect(refused.code, refused.stderr).toBe(4);
    expect(failureOf(refused)).toMatchObject({ code: 'group_in_use' });
  }
  expect(await stored()).toEqual([0, 0]);
  expect((await shop.ok('offsets reset --to latest', inGroup)).stderr).toMatch(/in use by member console/);
  const doctor = await shop.run('doctor', inGroup);
  expect(doctor.code, doctor.stdout).toBe(4);
  expect(doctor.stdout).toMatch(/^error +group .*has other members: console/m);
});
