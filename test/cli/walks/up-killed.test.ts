import { expect, test } from 'vitest';
import { openShop } from '../../support/cli.ts';
import { childrenOf, startUp } from '../../support/up-shop.ts';
import { waitFor } from '../../support/wait.ts';

test.runIf(process.platform === 'linux')(
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
