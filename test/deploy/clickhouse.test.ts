import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { hourlySales, salesIn, topProducts } from '../../src/app/analytics/sales.ts';
import { dailyReport } from '../../src/app/report/daily.ts';
import { dayOf } from '../../src/cli/parse.ts';
import { systemClock } from '../../src/compose.ts';
import { hourlyDocument, topProductsDocument } from '../../src/documents/write/analytics.ts';
import { dailyDocument } from '../../src/documents/write/daily.ts';
import { sumOf } from '../../src/views/sales-window.ts';
import { absent, must, runs } from '../support/peers.ts';
import { daysOf, fillRandom, randomShop } from '../support/random-shop.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HOUR_MS = 3_600_000;
const SQL = path.resolve(import.meta.dirname, '../../deploy/clickhouse/orderctl.sql');
const PROGRAM = path.resolve(import.meta.dirname, 'peers/clickhouse.py');
const PYTHON = process.env.ORDERCTL_TEST_CHDB ?? 'python3';
const QUERIES = [
  `SELECT formatDateTime(window_start, '%Y-%m-%dT%H:00:00.000Z') AS window_start, toInt64(order_count) AS order_count,
     toString(total_revenue) AS total_revenue FROM orderctl.order_metrics`,
  `SELECT product_id, toInt64(total_quantity) AS total_quantity, toString(total_revenue) AS total_revenue
   FROM orderctl.top_products`,
  `SELECT toString(report_date) AS report_date, product_id, source, toInt64(total_quantity) AS total_quantity,
     toString(total_revenue) AS total_revenue FROM orderctl.daily_sales`,
];
const makeFolder = temporaryFolder();

const withoutChdb = absent(
  'chdb, ClickHouse in a process',
  () => runs(PYTHON, ['-c', 'import chdb']),
  'pip install -r test/deploy/peers/requirements.txt in a venv, and set ORDERCTL_TEST_CHDB to its python',
);

/** Two places, as documents have them: ClickHouse leaves zeros out. */
const money = (text: unknown): string => {
  const [whole, places = ''] = String(text).split('.');
  return `${whole}.${places.padEnd(2, '0')}`;
};
type Row = Record<string, unknown>;
const number = (row: Row): Row => ({
  ...row,
  total_revenue: money(row.total_revenue),
  ...('order_count' in row ? { order_count: Number(row.order_count) } : {}),
  ...('total_quantity' in row ? { total_quantity: Number(row.total_quantity) } : {}),
});

test.skipIf(withoutChdb)('views of ClickHouse have the figures of analytics and report', async () => {
  const seed = Number(process.env.ORDERCTL_TEST_SEED ?? 18);
  const shops = fc.sample(randomShop, { numRuns: 3, seed });
  let sales = 0;
  for (const [nth, shop] of shops.entries()) {
    const folder = path.join(makeFolder(), 'shop');
    await fillRandom(folder, shop);
    await using reader = await openFolder({ folder, clock: systemClock }).read();
    const job = { sql: SQL, folder, queries: QUERIES };
    const answers = JSON.parse(await must(PYTHON, [PROGRAM], JSON.stringify(job))) as Row[][];
    const [hours, top, daily] = answers.map((rows) => rows.map(number));
    const days = daysOf(shop.change);
    const day = 24 * HOUR_MS;
    const from = Math.floor(((days[0]?.from ?? 0) - day) / day) * day;
    const until = Math.ceil(((days.at(-1)?.until ?? 0) + day) / day) * day;
    const what = `seed ${seed}, shop ${nth}`;
    const windows = (await hourlySales(reader, { from, until })).filter(({ placed }) => placed > 0);
    const expected = hourlyDocument(windows, sumOf(windows)).windows;
    expect(hours, what).toEqual(
      expected.map(({ window_start, order_count, total_revenue }) => {
        return { window_start, order_count, total_revenue };
      }),
    );
    const sold = topProducts(await salesIn(reader, null), 100);
    expect(top, what).toEqual(topProductsDocument(sold, null).products);
    const reported: Row[] = [];
    for (let at = from; at < until; at += day) {
      const date = new Date(at).toISOString().slice(0, 10);
      const report = await dailyReport(reader, dayOf('--date', date, { timeZone: 'UTC', now: 0 }), {
        now: Date.now(),
        lowStock: 1,
      });
      const { report_date, sales: rows } = dailyDocument(report, []);
      for (const { product_id, source, total_quantity, total_revenue } of rows) {
        if (total_quantity > 0)
          reported.push({ report_date, product_id, source, total_quantity, total_revenue });
      }
    }
    const key = (row: Row): string => JSON.stringify([row.report_date, row.product_id, row.source]);
    const sorted = (rows: readonly Row[] = []) => [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(sorted(daily), what).toEqual(sorted(reported));
    sales += reported.length;
  }
  expect(sales, 'sold nothing').toBeGreaterThan(5);
});
