import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createBucketObjects } from '../../src/adapters/objects/s3.ts';
import { EVENTS_LOG, type StockEvent } from '../../src/domain/stock/events.ts';
import { newFact } from '../../src/domain/facts.ts';
import type { DailyReport } from '../../src/documents/reports/daily.ts';
import { failureOf, openShop, type Shop } from '../support/cli.ts';
import { decideRecords, ownFolder, recordOf, type DecidedRecord } from '../support/decided.ts';
import { expectValidated } from '../support/documents.ts';

// Each starts the store several times, beside whatever else the machine does.
vi.setConfig({ testTimeout: 90_000 });

/** Berlin: a day of 23 hours. */
const SPRING = '2026-03-29';
/** Berlin: a day of 25 hours. */
const AUTUMN = '2026-10-25';

function placed(offset: number, id: string, items: Record<string, number>, at: string): DecidedRecord {
  const { order, record } = recordOf('orders', offset, id, 'alice', items);
  const lines = order.items.map((line) => ({ ...line, unitPrice: '1.10' }));
  return { record, order: { ...order, items: lines, createdAt: Date.parse(at) } };
}

function event(
  event_id: string,
  source: StockEvent['source'],
  occurred_at: string,
  more: Partial<StockEvent> = {},
) {
  const quantity = 3;
  const place = { topic: source, partition: 0, offset: 0, raw: '' };
  const of = { order_id: null, store_id: null, supplier_id: null, reason: null, unit_price: '2.00' };
  const change = { status: 'applied', delta: -quantity, on_hand: 1, at: occurred_at } as const;
  return newFact(EVENTS_LOG, {
    event_id,
    source,
    product_id: 'pen',
    quantity,
    occurred_at,
    ...of,
    ...change,
    ...place,
    ...more,
  });
}

/** Orders and events around the ends of two days, and of the hours that are missing or come twice. */
async function shopWithDays(): Promise<Shop> {
  const shop = openShop();
  shop.write('users.csv', 'user,status\nalice,paid\n');
  shop.write(
    'inventory.csv',
    'item,quantity,name,category,price,reorder_level\npen,50,Blue pen,writing,,40\nbook,7,,,,\n',
  );
  await using store = await ownFolder(shop.storage);
  await decideRecords(store, [
    placed(0, 'S-before', { pen: 1 }, '2026-03-28T22:59:59.999Z'),
    placed(1, 'S-first', { pen: 1 }, '2026-03-28T23:00:00.000Z'),
    placed(2, 'S-last', { pen: 2, book: 1 }, '2026-03-29T21:59:59.999Z'),
    placed(3, 'S-after', { pen: 1 }, '2026-03-29T22:00:00.000Z'),
    placed(4, 'A-first', { pen: 1 }, '2026-10-24T22:00:00.000Z'),
    placed(5, 'A-last', { pen: 1 }, '2026-10-25T22:59:59.999Z'),
  ]);
  const facts = [
    event('e-1', 'store_sales', '2026-03-29T10:00:00.000Z'),
    event('e-2', 'online_orders', '2026-03-29T10:00:00.000Z'),
    event('e-3', 'online_orders', '2026-03-29T10:00:00.000Z', {
      status: 'rejected',
      reason: 'insufficient_stock',
    }),
    event('e-4', 'supplier_restocks', '2026-03-29T10:00:00.000Z'),
    event('e-5', 'store_sales', '2026-05-01T10:00:00.000Z', { unit_price: null }),
  ];
  await store.transact({}, () => ({ changes: { facts }, result: null }));
  return shop;
}

const show = async (shop: Shop, date: string): Promise<DailyReport> =>
  JSON.parse(
    (await shop.ok(`report show --date ${date} --time-zone Europe/Berlin -o json`)).stdout,
  ) as DailyReport;

it('report show has a day by product and source, in days of 23 and of 25 hours', async () => {
  const shop = await shopWithDays();
  const spring = await show(shop, SPRING);
  expect(spring).toMatchObject({
    report_date: SPRING,
    from: '2026-03-28T23:00:00.000Z',
    until: '2026-03-29T22:00:00.000Z',
    complete: true,
    order_count: 5,
    completed: 4,
    rejected: 1,
    total_sales: '16.40',
    by_source: [
      { source: 'direct', orders: 2, total_quantity: 4, total_revenue: '4.40' },
      { source: 'online', orders: 1, total_quantity: 3, total_revenue: '6.00' },
      { source: 'store', orders: 1, total_quantity: 3, total_revenue: '6.00' },
    ],
    sales: [
      { product_id: 'book', name: null, source: 'direct', total_quantity: 1, total_revenue: '1.10' },
      {
        product_id: 'pen',
        name: 'Blue pen',
        category: 'writing',
        source: 'direct',
        total_quantity: 3,
        total_revenue: '3.30',
      },
      { product_id: 'pen', source: 'online' },
      { product_id: 'pen', source: 'store' },
    ],
    top_sellers: [{ product_id: 'pen', total_quantity: 9, total_revenue: '15.30' }, { product_id: 'book' }],
  });
  const autumn = await show(shop, AUTUMN);
  expect(Date.parse(autumn.until) - Date.parse(autumn.from)).toBe(25 * 3_600_000);
  expect(autumn).toMatchObject({ order_count: 2, total_sales: '2.20' });
  const { stdout } = await shop.ok(`report show --date ${SPRING} --time-zone Europe/Berlin`);
  expect(stdout).toMatch(/^pen +store +3 +6\.00$/m);
  expectValidated('report show');
});

it.each([
  'show --date 2026-02-30',
  'show --date tomorrow',
  'show --time-zone Mars/Base',
  'daily --format pdf',
  'daily --to ftp://shop/x',
])('report %s is wrong usage', async (wrong) => {
  expect((await openShop().run(`report ${wrong}`)).code).toBe(2);
});

it('report refuses a day that does not exist with one that does', async () => {
  for (const verb of ['show', 'daily']) {
    const failure = failureOf(await openShop().run(`report ${verb} 2026-02-30 -o json`));
    expect(failure).toMatchObject({
      message: '--date: "2026-02-30" is not a date that exists',
      fix: 'for example --date yesterday or 2026-11-21',
    });
  }
});

it('report says of a day that it has not begun', async () => {
  const shop = await shopWithDays();
  const { stderr } = await shop.ok('report show 2999-01-01 --time-zone UTC');
  expect(stderr).toBe('2999-01-01 (UTC) has not begun: 0 orders, 0.00 in sales\n');
  expect((await shop.ok('report daily 2999-01-01 --to out')).stderr).toContain('2999-01-01 has not begun');
  expect((await shop.ok('report show today')).stderr).toContain(' so far: ');
});

it('report show without a day is that of yesterday, and says so', async () => {
  const { stderr } = await (await shopWithDays()).ok('report show');
  expect(stderr).toMatch(
    /^yesterday, \d{4}-\d\d-\d\d \(.+\): 0 orders, 0\.00 in sales\nfor the sales of today so far: orderctl report show today\n/,
  );
});

it('report daily without a day says of which it is', async () => {
  const { stderr } = await (await shopWithDays()).ok('report daily --to out');
  expect(stderr).toMatch(/^yesterday, \d{4}-\d\d-\d\d \(.+\): 0 orders/);
});

it('report daily says what it could not count as money', async () => {
  const shop = await shopWithDays();
  const { stderr } = await shop.ok('report daily --date 2026-05-01 --time-zone UTC --to out');
  expect(stderr).toContain('1 line sold without a price');
  const html = fs.readFileSync(path.join(shop.folder, 'out', 'sales-2026-05-01.html'), 'utf8');
  expect(html).toContain('1 line sold without a price');
});

it('report daily writes the same bytes for a day that is over, until something of it comes late', async () => {
  const shop = await shopWithDays();
  const daily = async () => {
    const { stdout } = await shop.ok(`report daily --date ${SPRING} --time-zone UTC --to out -o json`);
    return (JSON.parse(stdout) as { files: { file: string; state: string }[] }).files.map(
      ({ state }) => state,
    );
  };
  expect(await daily()).toEqual(['written', 'written', 'written']);
  const read = (format: string) =>
    fs.readFileSync(path.join(shop.folder, 'out', `sales-${SPRING}.${format}`), 'utf8');
  expect(read('csv')).toBe(
    `report_date,product_id,source,total_quantity,total_revenue\n${SPRING},book,direct,1,1.10\n` +
      `${SPRING},pen,direct,3,3.30\n${SPRING},pen,online,3,6.00\n${SPRING},pen,store,3,6.00\n`,
  );
  expect(read('html')).toContain('Sales of 2026-03-29');
  expect(read('html')).toContain('<td>pen</td><td>Blue pen</td><td>writing</td><td>direct</td>');
  expect(await daily()).toEqual(['unchanged', 'unchanged', 'unchanged']);
  const kept = () => shop.read('reports.csv').split('\n');
  expect(kept()).toEqual([
    'report_date,time_zone,total_sales,top_sellers,low_stock',
    expect.stringMatching(/^2026-03-29,UTC,16\.40,"\[\{""product_id"":""pen""/),
    '',
  ]);
  {
    await using store = await ownFolder(shop.storage);
    await decideRecords(store, [placed(6, 'late', { book: 1 }, '2026-03-29T10:00:00.000Z')]);
  }
  expect(await daily()).toEqual(['written', 'written', 'written']);
  expect(read('csv')).toContain(`${SPRING},book,direct,2,2.20\n`);
  expect(kept().map((line) => line.split(',')[2])).toEqual(['total_sales', '17.50', undefined]);
  const bucket = await shop.run('report daily --to s3://shop/x');
  expect(bucket.code).toBe(2);
  expect(bucket.stderr).toContain('AWS_ACCESS_KEY_ID');
  expectValidated('report daily');
});

/** As much of S3 as a conditional put needs. `onPut` may change what is stored before it is looked at. */
async function bucket(stored: Map<string, Buffer>, onPut: () => void = () => undefined): Promise<string> {
  const etag = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`;
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const name = request.url ?? '';
      const answer = (status: number, headers: Record<string, string> = {}, body?: Buffer): void => {
        response.writeHead(status, headers).end(body);
      };
      if (!String(request.headers.authorization).startsWith('AWS4-HMAC-SHA256 Credential=k/')) answer(403);
      else if (request.method === 'GET') {
        const found = stored.get(name);
        if (found === undefined) answer(404);
        else answer(200, { etag: etag(found) }, found);
      } else {
        onPut();
        const found = stored.get(name);
        const isTaken = request.headers['if-none-match'] === '*' && found !== undefined;
        const match = request.headers['if-match'];
        const isOther = match !== undefined && (found === undefined || match !== etag(found));
        if (isTaken || isOther) answer(412);
        else {
          stored.set(name, Buffer.concat(chunks));
          answer(200);
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const objectsAt = (endpoint: string, accessKeyId = 'k') =>
  createBucketObjects({
    url: 's3://shop/sales',
    endpoint,
    region: null,
    credentials: { accessKeyId, secretAccessKey: 's', sessionToken: null },
  });

it('a bucket takes a file once, and one that somebody else changes meanwhile is compared again', async () => {
  const stored = new Map<string, Buffer>();
  let [puts, disturb]: [number, () => void] = [0, () => undefined];
  const endpoint = await bucket(stored, () => {
    puts += 1;
    disturb();
  });
  const objects = objectsAt(endpoint);
  const put = (text: string) => objects.put('a.csv', Buffer.from(text), 'text/csv');
  expect([await put('one'), await put('one'), puts]).toEqual(['written', 'unchanged', 1]);
  disturb = () => {
    disturb = () => undefined;
    stored.set('/shop/sales/a.csv', Buffer.from('of another'));
  };
  expect([await put('two'), puts]).toEqual(['written', 3]);
  expect(String(stored.get('/shop/sales/a.csv'))).toBe('two');
  const refused = objectsAt(endpoint, 'other').put('a.csv', Buffer.from('x'), 'text/csv');
  await expect(refused).rejects.toMatchObject({ code: 'store_refused' });
  const nobody = objectsAt('http://127.0.0.1:1').put('a.csv', Buffer.from('x'), 'text/csv');
  await expect(nobody).rejects.toMatchObject({ code: 'store_unreachable' });
});
