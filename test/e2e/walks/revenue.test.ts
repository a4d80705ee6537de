import { expect, test } from 'vitest';
import { MESSAGES } from '../../../src/domain/messages/index.ts';
import { openShop, type Shop } from '../../support/cli.ts';
import { ask } from '../../support/postgres.ts';
import { postgresForShops } from '../../support/postgres-databases.ts';
import { serve } from '../../support/serve.ts';

const { openDatabase } = postgresForShops();
const PRICE = '2.50';

/** Topics of its own for all messages. */
function ownTopics(): { ORDERCTL_TOPICS: string } {
  const { topic } = openShop();
  const names = MESSAGES.filter(({ name }) => name !== 'orders').map(
    ({ name }) => `${name}=${topic}-${name}`,
  );
  return { ORDERCTL_TOPICS: names.join(',') };
}

/** One pen in each way in which something can be sold; and one that was refused. @returns when, ISO 8601 */
async function sell(shop: Shop): Promise<string> {
  await shop.ok('user add alice --status paid');
  await shop.ok('user add bob --status unpaid');
  await shop.ok(`inventory add pen --quantity 20 --price ${PRICE}`);
  await shop.ok('produce --user alice --item pen=1');
  await shop.ok('produce --user bob --item pen=1');
  await shop.ok('produce --flow checkout --user alice --item pen=1');
  await shop.ok('produce --source store --item pen=1');
  await shop.ok('produce --source online --item pen=1');
  const { call, server } = await serve(shop);
  for (const [path, more] of [['/order', {}] as const, ['/orders', { shipping_address: 'Ulm' }] as const]) {
    const { status } = await call('POST', path, { user: 'alice', item: 'pen', quantity: 1, ...more });
    expect(status).toBe(202);
  }
  server.signal('SIGTERM');
  await server.exited;
  await shop.ok('run --until-end --gateway local');
  return new Date().toISOString();
}

test.each(['a folder', 'PostgreSQL'])(
  'what was sold comes to one sum in analytics, report and the API, in every way of selling, on %s',
  // Each of a dozen commands starts a consumer or a producer.
  { timeout: 240_000 },
  async (kind) => {
    const env = ownTopics();
    const database = kind === 'PostgreSQL' ? await openDatabase(env) : null;
    const shop = database ?? openShop(env);
    const begun = new Date().toISOString();
    const ended = await sell(shop);
    const days = [...new Set([begun, ended].map((time) => time.slice(0, 10)))];
    let reported = 0;
    for (const day of days) {
      const { total_sales } = await shop.json(`report daily ${day} --time-zone UTC --to out`);
      reported += Number(total_sales);
    }
    expect(reported).toBe(15);
    const { total } = await shop.json('analytics show');
    expect(total).toMatchObject({ total_revenue: '15.00', completed: 6, rejected: 1, unpriced_lines: 0 });
    expect(await shop.json('analytics top')).toMatchObject({
      products: [{ product_id: 'pen', total_quantity: 6, total_revenue: '15.00' }],
    });
    const { call } = await serve(shop);
    const hourly = await call('GET', '/analytics/hourly');
    expect(hourly.body).toMatchObject({ total: { total_revenue: '15.00', completed: 6 } });
    if (database === null) return;
    const rows = await ask<{ sum: string }>(database.url, 'SELECT sum(total_sales)::text FROM shop.reports');
    expect(rows).toEqual([{ sum: '15.00' }]);
    const [sold] = await ask(database.url, 'SELECT sum(quantity)::int AS pens FROM shop.orders');
    expect(sold).toEqual({ pens: 6 });
  },
);
