import fs from 'node:fs';
import { expect, test } from 'vitest';
import type { Overview } from '../../../src/documents/http/overview.ts';
import { openShop } from '../../support/cli.ts';
import { childrenOf, startUp } from '../../support/up-shop.ts';
import { waitFor } from '../../support/wait.ts';

const PROCESSORS = [
  'delivery',
  'inventory',
  'notification',
  'orders',
  'payment',
  'stock',
  'validation',
  'warehouse',
];
const SLOW_MS = 120_000;

interface Placed {
  readonly order_id: string;
  readonly status: string;
}

async function place(url: string): Promise<Placed> {
  const response = await fetch(`${url}/orders?wait=30s`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'alice', item: 'desk', quantity: 1, shipping_address: 'Sample Street 1' }),
  });
  return (await response.json()) as Placed;
}

const statusOf = async (url: string, id: string): Promise<string> =>
  ((await (await fetch(`${url}/orders/${id}`)).json()) as Placed).status;

test.runIf(process.platform === 'linux')(
  'up --split runs each processor by itself on a PostgreSQL of its own: one that is killed is started again alone',
  { timeout: 400_000 },
  async () => {
    const shop = openShop();
    const { up, addresses } = await startUp(shop, '--split --postgres-port 0');
    const parts = childrenOf(up.pid, 'run');
    expect([...parts.keys()].sort()).toEqual(PROCESSORS);
    const { order_id: id } = await place(addresses.url);
    await waitFor(
      'the order',
      () => statusOf(addresses.url, id),
      (status) => status === 'COMPLETED',
      {
        timeoutMs: SLOW_MS,
      },
    );

    process.kill(parts.get('payment') ?? 0, 'SIGKILL');
    await up.says(/payment is back as/, SLOW_MS);
    const runs = await waitFor(
      'all processors',
      async () => (await (await fetch(`${addresses.url}/overview`)).json()) as Overview,
      ({ consumer }) => {
        const all = consumer?.instances ?? [];
        const isDead = all.some(({ pid }) => pid === parts.get('payment'));
        return !isDead && all.flatMap(({ processors }) => processors).length === PROCESSORS.length;
      },
      { timeoutMs: SLOW_MS },
    );
    const pids = new Map(runs.consumer?.instances?.map(({ pid, processors: [name] }) => [name, pid]));
    for (const name of PROCESSORS.filter((one) => one !== 'payment'))
      expect(pids.get(name)).toBe(parts.get(name));
    const { order_id: other } = await place(addresses.url);
    await waitFor(
      'the other',
      () => statusOf(addresses.url, other),
      (status) => status === 'COMPLETED',
      {
        timeoutMs: SLOW_MS,
      },
    );

    const postmaster = Number(
      fs.readFileSync(`${shop.storage}/postgres/data/postmaster.pid`, 'utf8').split('\n')[0],
    );
    up.signal('SIGINT');
    expect(await up.exited).toMatchObject({ code: 0 });
    for (const pid of [postmaster, ...pids.values()]) expect(fs.existsSync(`/proc/${pid}`)).toBe(false);
    // It is no shop on files, and none is made in its place.
    const { code, stderr } = await shop.built.run('up --port 0 --broker-port 0 --registry-port 0');
    expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining('--split') as string });
  },
);
