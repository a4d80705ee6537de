import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { failureOf, finish, penShop, type Shop } from '../support/cli.ts';
import { createTopic, pens, sendRaw } from '../support/topics.ts';

async function consuming() {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 2));
  const consumer = shop.start('consume -o json');
  await consumer.says(/accepted a-1/);
  return { shop, consumer };
}

const owners = (shop: Shop) =>
  fs.readdirSync(path.join(shop.storage, '.orderctl')).filter((name) => /^owner.*json$/.test(name));

test('a consumer that is asked to stop finishes and leaves, and nothing names its process afterwards', async () => {
  const { shop, consumer } = await consuming();
  const { seconds, ...stopped } = await shop.json('stop');
  expect(stopped).toEqual({ stopped: true, pid: consumer.pid, killed: false, instances: null });
  expect(seconds).toBeLessThan(10);
  const { code, stdout, stderr } = await finish(consumer, 'consume', 60_000);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ accepted: 2, stopped_by: 'signal' });
  expect(owners(shop)).toEqual([]);

  const none = await shop.run('stop -o json');
  expect(none.code).toBe(3);
  expect(JSON.parse(none.stdout)).toEqual({
    stopped: false,
    pid: null,
    killed: false,
    instances: null,
    seconds: null,
  });
  expect(failureOf(none)).toMatchObject({ code: 'not_found' });
});

test('a paused consumer is ended by --kill alone', async () => {
  const { shop, consumer } = await consuming();
  consumer.signal('SIGSTOP');
  const refused = await shop.run('stop -o json');
  expect(refused.code, refused.stderr).toBe(5);
  expect(failureOf(refused).fix).toContain('orderctl stop --kill');
  expect(await shop.json('stop --kill')).toMatchObject({ stopped: true, pid: consumer.pid, killed: true });
  expect((await consumer.exited).signal).toBe('SIGKILL');
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({ read: 0 });
});

test('--kill ends no process that is not the one that owns the folder', async () => {
  const { shop, consumer } = await consuming();
  consumer.signal('SIGSTOP');
  const [name = ''] = owners(shop);
  const file = path.join(shop.storage, '.orderctl', name);
  const hello = JSON.parse(fs.readFileSync(file, 'utf8')) as { process: string };
  // The number of the process is right, and what it was started at is another's; as after the owner's death.
  const [, start = ''] = /\/([^/]+)$/.exec(hello.process) ?? [];
  for (const wrong of [hello.process.replace(/[^/]+$/, `${start}1`), null]) {
    fs.writeFileSync(file, JSON.stringify({ ...hello, process: wrong }));
    const result = await shop.run('stop --kill -o json');
    expect(result.code, result.stderr).toBe(5);
    expect(failureOf(result).message).toContain('was not killed');
  }
  consumer.signal('SIGCONT');
  await shop.ok('stop');
  expect((await consumer.exited).code).toBe(0);

  // Nobody holds the folder: what is written there says nothing.
  fs.writeFileSync(file, JSON.stringify(hello));
  expect(await shop.run('stop --kill')).toMatchObject({ code: 3 });
});
