import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { failureOf, finish, penShop } from '../support/cli.ts';
import { serve, shopWith } from '../support/serve.ts';
import { waitFor } from '../support/wait.ts';

const TOKEN = 't'.repeat(32);

test('consume serves what it measures, to those who have the token', async () => {
  const shop = penShop();
  const file = path.join(shop.folder, 'token');
  fs.writeFileSync(file, `${TOKEN}\n`);
  await shop.ok('produce --user alice --item pen=1 --count 3');
  const consume = shop.start(`consume --metrics-port 0 --api-token-file ${file}`);
  const [, url = ''] = await consume.says(/metrics on (http:\S+)/);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const read = async (): Promise<string> => (await fetch(url, { headers })).text();
  const text = await waitFor('three orders', read, (found) =>
    found.includes('orderctl_records_total{processor="orders",outcome="accepted"} 3\n'),
  );
  expect(text).toMatch(/^orderctl_sync_duration_seconds_count [1-9]/m);
  expect(text).toMatch(/^orderctl_commit_duration_seconds_count\{processor="orders"\} [1-9]/m);
  expect(text).toMatch(/^process_resident_memory_bytes [1-9]/m);

  const refused = await fetch(url);
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  expect((await fetch(url, { headers: { authorization: `Bearer ${TOKEN}x` } })).status).toBe(401);
  const health = await fetch(new URL('/healthz', url));
  expect([health.status, await health.text()]).toEqual([200, 'ok\n']);
  expect((await fetch(new URL('/users', url), { headers })).status).toBe(404);
  expect((await fetch(url, { headers, method: 'POST' })).status).toBe(405);
  consume.signal('SIGINT');
  expect((await finish(consume, 'consume', 60_000)).code).toBe(0);
  await expect(fetch(url, { headers })).rejects.toThrow();
});

test('metrics for other machines take a token, or consent', async () => {
  const shop = penShop();
  const open = await shop.run('run --metrics-port 0 --metrics-host 0.0.0.0 -o json');
  expect(failureOf(open)).toMatchObject({
    exit_code: 2,
    message: expect.stringContaining('--metrics-host') as string,
  });
  const alone = await shop.run('run --metrics-host 0.0.0.0 -o json');
  expect(failureOf(alone)).toMatchObject({ exit_code: 2, fix: 'add --metrics-port 9464' });
});

test('serve has the metrics of its requests by route, and of the shop', async () => {
  const { url, call } = await serve(shopWith({ pen: 5 }));
  await call('GET', '/inventory/pen');
  await call('GET', '/inventory/none');
  await call('GET', '/there/is/no/such');
  const of = (route: string, status: string): string =>
    `orderctl_http_request_duration_seconds_count{method="GET",route="${route}",status="${status}"} 1\n`;
  const read = async (): Promise<string> => String((await call('GET', '/metrics')).body);
  const text = await waitFor('the books', read, (found) => found.includes('orderctl_books_balanced 1\n'));
  expect(text).toContain(of('/inventory/:item', '2xx'));
  expect(text).toContain(of('/inventory/:item', '4xx'));
  expect(text).toContain(of('', '4xx'));
  expect(text).toContain('orderctl_processor_running{processor="orders"} 0\n');
  expect((await fetch(`${url}/metrics`)).headers.get('content-type')).toMatch(/^text\/plain; version=/);
});
