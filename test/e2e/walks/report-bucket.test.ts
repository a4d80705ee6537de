import { AwsClient } from 'aws4fetch';
import { expect, test } from 'vitest';
import { failureOf, openShop } from '../../support/cli.ts';
import { decideRecords, ownFolder, recordOf } from '../../support/decided.ts';
import { startS3, withoutS3 } from '../../support/s3.ts';

/** An order of that day, decided now. */
async function sell(folder: string, offset: number, item: string): Promise<void> {
  await using store = await ownFolder(folder);
  const { record, order } = recordOf('orders', offset, `ORD-${offset}`, 'alice', {});
  const items = [{ item, quantity: 2, unitPrice: '1.10' }];
  await decideRecords(store, [{ record, order: { ...order, items, createdAt: Date.UTC(2026, 10, 20, 12) } }]);
}

test.skipIf(withoutS3)(
  'report daily puts a day into a bucket of a server that checks signatures, once',
  async () => {
    const shop = openShop();
    shop.write('users.csv', 'user,status\nalice,paid\n');
    shop.write('inventory.csv', 'item,quantity\npen,50\nbook,50\n');
    await sell(shop.storage, 0, 'pen');
    const env = await startS3();
    const { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: accessKeyId } = env;
    const daily = 'report daily --date 2026-11-20 --time-zone UTC --to';
    const states = async (): Promise<string[]> => {
      const { code, stdout, stderr } = await shop.run(`${daily} s3://shop/sales -o json`, { env });
      expect(code, stderr).toBe(0);
      return (JSON.parse(stdout) as { files: { state: string }[] }).files.map(({ state }) => state);
    };
    const client = new AwsClient({
      accessKeyId,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      service: 's3',
      region: 'us-east-1',
    });
    const stored = async (): Promise<string> => {
      return (await client.fetch(`${endpoint}/shop/sales/sales-2026-11-20.csv`)).text();
    };
    expect(await states()).toEqual(['written', 'written', 'written']);
    const header = 'report_date,product_id,source,total_quantity,total_revenue\n';
    expect(await stored()).toBe(`${header}2026-11-20,pen,direct,2,2.20\n`);
    expect(await states()).toEqual(['unchanged', 'unchanged', 'unchanged']);
    await sell(shop.storage, 1, 'book');
    expect(await states()).toEqual(['written', 'written', 'written']);
    expect(await stored()).toBe(`${header}2026-11-20,book,direct,2,2.20\n2026-11-20,pen,direct,2,2.20\n`);

    // What is conditional is refused by this server, too.
    const other = await client.fetch(`${endpoint}/shop/sales/sales-2026-11-20.csv`, {
      method: 'PUT',
      body: 'x',
      headers: { 'if-none-match': '*' },
    });
    expect(other.status).toBe(412);
    for (const [place, refused] of [
      ['s3://shop/sales', { ...env, AWS_SECRET_ACCESS_KEY: 'wrong' }],
      ['s3://shop/sales', { ...env, AWS_ACCESS_KEY_ID: 'nobody' }],
      ['s3://another/sales', env],
    ] as const) {
      const ended = await shop.run(`${daily} ${place} -o json`, { env: refused });
      expect(ended.code, ended.stderr).toBe(5);
      expect(failureOf(ended)).toMatchObject({ code: 'store_refused', exit_code: 5 });
    }
    expect(await stored()).toContain('book');
  },
);
