import fs from 'node:fs';
import { expect, test } from 'vitest';
import { openShop } from '../support/cli.ts';
import { expectValidated } from '../support/documents.ts';
import { startUp } from '../support/up-shop.ts';
import { waitFor } from '../support/wait.ts';

async function place(url: string, order: object): Promise<{ status: number; body: { status: string } }> {
  const response = await fetch(`${url}/order?wait=20s`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  return { status: response.status, body: (await response.json()) as { status: string } };
}

/** The processes that `up` started, by their command. */
function childrenOf(pid: number): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const words = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      if (Number(stat.split(') ')[1]?.split(' ')[1]) === pid) found.set(words[2] ?? '', Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

const isLinux = process.platform === 'linux';

test.runIf(isLinux)(
  'up is a whole shop, starts again what is killed, and goes on where it stopped',
  { timeout: 240_000 },
  async () => {
    const shop = openShop();
    const { up, addresses } = await startUp(shop);
    expect(up.stderr()).toContain('the shop was empty');
    const order = { user: 'alice', item: 'desk', quantity: 1 };
    expect(await place(addresses.url, { ...order, order_id: 'U-1' })).toMatchObject({
      status: 200,
      body: { status: 'COMPLETED' },
    });

    for (const name of ['run', 'dev', 'serve']) {
      process.kill(childrenOf(up.pid).get(name) ?? 0, 'SIGKILL');
      await up.says(new RegExp(`${name} is back as`));
    }
    expect(await place(addresses.url, { ...order, order_id: 'U-2' })).toMatchObject({
      status: 200,
      body: { status: 'COMPLETED' },
    });
    up.signal('SIGINT');
    expect(await up.exited).toMatchObject({ code: 0 });
    expectValidated('up');

    const { up: again, addresses: later } = await startUp(shop);
    expect(again.stderr()).not.toContain('was empty');
    const answer = await fetch(`${later.url}/orders/U-1`);
    expect(await answer.json()).toMatchObject({ status: 'COMPLETED' });
    const parts = childrenOf(again.pid);
    expect([...parts.keys()].sort()).toEqual(['dev', 'run', 'serve']);
    again.signal('SIGKILL');
    await again.exited;
    const isAlive = (pid: number): boolean => fs.existsSync(`/proc/${pid}`);
    await waitFor(
      'the parts',
      () => [...parts.values()].filter(isAlive),
      (left) => left.length === 0,
    );
  },
);

test.runIf(isLinux)(
  'a shop whose processes are all killed at once goes on with what it had taken',
  { timeout: 240_000 },
  async () => {
    const shop = openShop();
    const { up, addresses } = await startUp(shop);
    const parts = childrenOf(up.pid);
    const ids = Array.from({ length: 20 }, (_, at) => `K-${at + 1}`);
    // Each is answered 202; what has become of it by then is chance.
    for (const [at, order_id] of ids.entries()) {
      const flow = at % 2 === 0 ? '/order' : '/orders';
      const body = JSON.stringify({
        order_id,
        user: 'alice',
        item: 'pen',
        quantity: 1,
        shipping_address: 'A 1',
      });
      const headers = { 'content-type': 'application/json' };
      expect((await fetch(`${addresses.url}${flow}`, { method: 'POST', headers, body })).status).toBe(202);
    }
    for (const pid of [up.pid, ...parts.values()]) process.kill(pid, 'SIGKILL');
    await up.exited;

    const { up: again, addresses: later } = await startUp(shop);
    for (const id of ids) {
      await waitFor(
        id,
        async () => (await (await fetch(`${later.url}/orders/${id}?wait=5s`)).json()) as { status: string },
        ({ status }) => status === 'COMPLETED',
        { timeoutMs: 60_000 },
      );
    }
    again.signal('SIGINT');
    expect(await again.exited).toMatchObject({ code: 0 });
    await shop.built.ok('audit');
    expect(shop.stock()).toMatchObject({ pen: 50_000 - ids.length });
  },
);

test('up says which part cannot start, and why', { timeout: 60_000 }, async () => {
  const shop = openShop();
  const { up, addresses } = await startUp(shop);
  const other = openShop();
  const { code, stderr } = await other.built.run(
    `up --port ${new URL(addresses.url).port} --broker-port 0 --registry-port 0`,
  );
  expect(code, stderr).toBe(4);
  expect(stderr).toContain('another program listens');
  // Nothing was made.
  expect(stderr).not.toContain('the shop was empty');
  up.signal('SIGTERM');
  await up.exited;
});
