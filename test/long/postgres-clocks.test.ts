import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ORDER_CREATED } from '../../src/domain/messages/checkout/order-created.ts';
import { openShop } from '../support/cli.ts';
import { clockAhead, FAKETIME } from '../support/faketime.ts';
import { ask, startTestPostgres } from '../support/postgres.ts';
import { SERVICES } from '../support/run-kills/checkout.ts';
import { startCluster } from '../support/run-kills/cluster.ts';
import { openPostOffice } from '../support/run-kills/post-office.ts';
import { createTopic, sendRaw } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

const HOUR_S = 3_600;
const ORDERS = 30;
/** Far less than an hour, by which an effect would come late. */
const PATIENT = { timeoutMs: 120_000 };

/** `npm run test:postgres`: processes of one store whose clocks are hours apart, and none of which is right. */
test.skipIf(FAKETIME === null)(
  'clocks an hour ahead and an hour behind delay no effect, and send no mail twice',
  { timeout: 300_000 },
  async () => {
    const [cluster, office] = [await startCluster(), await openPostOffice(() => false)];
    await using server = await startTestPostgres();
    const shop = openShop({
      ORDERCTL_BROKERS: cluster.brokers,
      ORDERCTL_REGISTRY: cluster.registry,
      ORDERCTL_STORAGE: '',
      ORDERCTL_STORE: server.url,
      ORDERCTL_DISPATCH_DELAY: '2s',
      ORDERCTL_ALERTS: `smtp://127.0.0.1:${office.port}?from=shop@example.org&to=stock@example.org`,
    });
    const users = path.join(shop.folder, 'users.csv');
    fs.writeFileSync(users, 'user,status,email\nalice,paid,alice@example.org\n');
    await shop.ok(['user', 'import', users]);
    await shop.ok('inventory add --item book --quantity 1000 --price 2.50');
    await createTopic(ORDER_CREATED.name, 4, cluster.brokers);
    const running = [HOUR_S, -HOUR_S].map((ahead) =>
      shop.start(`run ${SERVICES}`, { env: clockAhead(ahead) }),
    );
    for (const { says } of running) await says(/delivery reads/);
    const orders = Array.from({ length: ORDERS }, (_, at) => ({
      key: `c-${at}`,
      value: JSON.stringify({
        order_id: `c-${at}`,
        customer_id: 'alice',
        total_amount: '2.50',
        items: [{ product_id: 'book', quantity: 1, unit_price: '2.50' }],
        shipping_address: 'Main Street 1',
        created_at: 1_760_000_000_000,
      }),
    }));
    await sendRaw(ORDER_CREATED.name, orders, cluster.brokers);
    const left = `SELECT (SELECT count(DISTINCT value ->> 'order_id')::int FROM orderctl.events_log
        WHERE log = 'checkout' AND value ->> 'step' = 'dispatched') AS sent,
      (SELECT count(*)::int FROM orderctl.effects) AS owed, (SELECT count(*)::int FROM orderctl.outbox) AS waiting`;
    await waitFor(
      'all to be sent and performed',
      () => ask<{ sent: number; owed: number; waiting: number }>(server.url, left),
      ([row]) => row?.sent === ORDERS && row.owed === 0 && row.waiting === 0 && office.mails.size >= MAILS,
      PATIENT,
    );
    for (const one of running) one.signal('SIGTERM');
    for (const { exited } of running) {
      const { code, stderr } = await exited;
      expect(code, stderr).toBe(0);
    }
    expect([...office.mails.values()].map(({ length }) => length)).toEqual(Array(MAILS).fill(1));
    expect(await shop.json('audit --with-topic')).toMatchObject({ ok: true, differences_total: 0 });
  },
);

/** Of each order: it is paid for, on its way, and sent. */
const MAILS = 3 * ORDERS;
