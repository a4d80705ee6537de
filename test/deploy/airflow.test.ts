import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { AwsClient } from 'aws4fetch';
import { expect, onTestFinished, test } from 'vitest';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import { systemClock } from '../../src/compose.ts';
import { finish, observe } from '../support/cli.ts';
import { decideRecords, recordOf } from '../support/decided.ts';
import { absent, runs } from '../support/peers.ts';
import { ask, startTestPostgres } from '../support/postgres.ts';
import { startS3, withoutS3 } from '../support/s3.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const AIRFLOW = process.env.ORDERCTL_TEST_AIRFLOW ?? 'airflow';
const makeFolder = temporaryFolder();

const withoutAirflow = absent(
  'Airflow',
  () => runs(AIRFLOW, ['version']),
  'pip install -r deploy/airflow/requirements.txt in a venv, and set ORDERCTL_TEST_AIRFLOW to its bin/airflow',
);

/** Two days, an order each. */
async function fill(url: string): Promise<void> {
  const access = openPostgres({ url, password: null, clock: systemClock, processes });
  const how = { via: 'command', onNotice: () => undefined } as const;
  await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, how);
  await access.edit({ kind: 'item.add', item: 'pen', quantity: 50 }, how);
  await using store = await access.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  await decideRecords(
    store,
    [20, 21].map((day, offset) => {
      const { record, order } = recordOf('orders', offset, `ORD-${day}`, 'alice', {});
      const items = [{ item: 'pen', quantity: day, unitPrice: '1.10' }];
      return { record, order: { ...order, items, createdAt: Date.UTC(2026, 10, day, 12) } };
    }),
  );
}

async function webhook(): Promise<{ readonly url: string; readonly texts: string[] }> {
  const texts: string[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      texts.push((JSON.parse(Buffer.concat(chunks).toString()) as { text: string }).text);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, texts };
}

test.skipIf(withoutAirflow || withoutS3)(
  'the DAG reports a day into a bucket, again without a change, catches up, and fails loudly',
  async () => {
    await using postgres = await startTestPostgres();
    await fill(postgres.url);
    const s3 = await startS3();
    const { url, texts } = await webhook();
    const home = makeFolder();
    const settings = {
      AIRFLOW_HOME: home,
      AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
      AIRFLOW__CORE__DAGS_FOLDER: path.join(ROOT, 'deploy/airflow/dags'),
      AIRFLOW_CONN_ORDERCTL: postgres.url,
      ORDERCTL_STORE: postgres.url,
      ...s3,
      ORDERCTL_PROGRAM: `${process.execPath} ${path.join(ROOT, 'bin/orderctl')}`,
      ORDERCTL_REPORT_TO: 's3://shop/sales',
      ORDERCTL_REPORT_RETRY_SECONDS: '0',
      ORDERCTL_ALERT_URL: url,
    };
    const airflow = async (args: readonly string[], more: Record<string, string> = {}) => {
      const env = { ...process.env, ...settings, ...more };
      const child = spawn(AIRFLOW, args, { env, cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
      return await finish(observe(child, 'airflow'), 'airflow', 300_000);
    };
    const migrated = await airflow(['db', 'migrate']);
    expect(migrated.code, migrated.stderr).toBe(0);
    // A run of a day is about the one that ended when it began.
    const runOf = (date: string, more = {}) => airflow(['dags', 'test', 'orderctl_daily', date], more);
    const client = new AwsClient({
      accessKeyId: s3.AWS_ACCESS_KEY_ID,
      secretAccessKey: s3.AWS_SECRET_ACCESS_KEY,
      service: 's3',
      region: 'us-east-1',
    });
    const object = async (day: string) => {
      const found = await client.fetch(`${s3.AWS_ENDPOINT_URL}/shop/sales/sales-${day}.csv`);
      return { text: await found.text(), changed: found.headers.get('last-modified') };
    };
    const rows = () =>
      ask<{ total_sales: string }>(
        postgres.url,
        `SELECT report_date::text, total_sales::text, top_sellers -> 0 ->> 'product_id' AS top
         FROM shop.reports ORDER BY 1`,
      );
    const first = await runOf('2026-11-21');
    expect(first.code, first.stdout + first.stderr).toBe(0);
    const written = await object('2026-11-20');
    expect(written.text).toBe(
      'report_date,product_id,source,total_quantity,total_revenue\n2026-11-20,pen,direct,20,22.00\n',
    );
    expect(await rows()).toEqual([{ report_date: '2026-11-20', total_sales: '22.00', top: 'pen' }]);

    for (const date of ['2026-11-21', '2026-11-22']) expect((await runOf(date)).code).toBe(0);
    expect(await object('2026-11-20')).toEqual(written);
    expect((await rows()).map(({ total_sales }) => total_sales)).toEqual(['22.00', '23.10']);

    expect(texts).toEqual([]);
    expect((await runOf('2026-11-23', { AWS_SECRET_ACCESS_KEY: 'wrong' })).code).not.toBe(0);
    expect(texts).toEqual([expect.stringMatching(/^orderctl_daily\.report of .*SignatureDoesNotMatch/s)]);
    // A report that the database has otherwise.
    const other = path.join(home, 'other.mjs');
    fs.writeFileSync(other, `console.log('{"report_date": "2026-11-20", "total_sales": "22.01"}')`);
    const wrong = { ORDERCTL_PROGRAM: `${process.execPath} ${other}` };
    expect((await runOf('2026-11-21', wrong)).code).not.toBe(0);
    expect(texts[1]).toMatch(/^orderctl_daily\.check of /);
  },
);
