import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { finish, observe, openShop } from '../support/cli.ts';
import { startDev } from '../support/dev-service.ts';
import { absent, runs } from '../support/peers.ts';
import { randomOf } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FLINK = path.resolve(import.meta.dirname, '../../deploy/flink');
const JARS = path.join(FLINK, 'target/jars');
/** How many orders; the promise is about a hundred thousand. */
const ORDERS = Number(process.env.ORDERCTL_TEST_ORDERS ?? 5_000);
/** What Flink opens by reflection. */
const OPENS = ['java.base/java.util', 'java.base/java.lang', 'java.base/java.net', 'java.base/java.nio'];
const makeFolder = temporaryFolder();

const withoutFlink = absent(
  'Flink',
  () => runs('javac', ['-version']) && runs('mvn', ['-v']),
  'apt-get install default-jdk-headless maven',
);

function installJars(): void {
  if (fs.existsSync(JARS)) return;
  const into = `${JARS}.new`;
  fs.rmSync(into, { recursive: true, force: true });
  const pom = path.join(FLINK, 'pom.xml');
  const { status, stdout } = spawnSync('mvn', ['-q', '-B', '-f', pom, `-Dinto=${into}`, 'package'], {
    encoding: 'utf8',
  });
  expect(status, stdout).toBe(0);
  fs.renameSync(into, JARS);
}

async function brokers(): Promise<{ brokers: string; registry: string }> {
  const { ORDERCTL_TEST_BROKERS: given, ORDERCTL_TEST_REGISTRY: registry = '' } = process.env;
  if (given !== undefined) return { brokers: given, registry };
  const dev = await startDev({ folder: makeFolder() });
  onTestFinished(() => dev.stop());
  return dev;
}

/** Orders over five hours of users who pay and one who does not, each tenth of them twice. */
function writeOrders(file: string, seed: number): void {
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const begin = Math.floor(Date.now() / 3_600_000 - 6) * 3_600_000;
  const lines: string[] = [];
  for (let n = 0; n < ORDERS; n++) {
    const items = ['book', 'pen', 'lamp']
      .filter(() => random.below(2) === 0)
      .map((item) => ({ item, quantity: 1 + random.below(3) }));
    const order = {
      order_id: `F-${n}`,
      user: pick(['alice', 'carol', 'bob']),
      shipping_address: 'Ulm',
      items: items.length === 0 ? [{ item: 'pen', quantity: 1 }] : items,
      created_at: new Date(begin + random.below(5 * 3_600_000)).toISOString(),
    };
    for (let copies = random.below(10) === 0 ? 2 : 1; copies > 0; copies--) lines.push(JSON.stringify(order));
  }
  fs.writeFileSync(file, `${lines.join('\n')}\n`);
}

async function runFlink(at: {
  brokers: string;
  registry: string;
}): Promise<readonly (readonly string[])[][]> {
  const opens = OPENS.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]);
  const args = [...opens, '-Xmx768m', '-cp', path.join(JARS, '*'), path.join(FLINK, 'Run.java')];
  const child = spawn('java', [...args, path.join(FLINK, 'orders.sql'), at.brokers, at.registry], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { code, stdout, stderr } = await finish(observe(child, 'flink'), 'flink', 900_000);
  expect(code, stderr.slice(-3_000)).toBe(0);
  return stdout
    .trimEnd()
    .split(/^# .*\n/m)
    .slice(1)
    .map((table) =>
      table
        .trimEnd()
        .split('\n')
        .map((row) => row.split('\t')),
    );
}

test.skipIf(withoutFlink)(
  'Flink has the figures of analytics for orders that were paid, declined, and sent twice',
  async () => {
    installJars();
    const at = await brokers();
    const shop = openShop({ ORDERCTL_BROKERS: at.brokers, ORDERCTL_REGISTRY: at.registry }).built;
    shop.write('users.csv', 'user,status\nalice,paid\nbob,unpaid\ncarol,paid\n');
    const stock = 10 * ORDERS;
    shop.write(
      'inventory.csv',
      `item,quantity,price\nbook,${stock},12.50\npen,${Math.floor(ORDERS / 2)},0.99\nlamp,${stock},49.00\n`,
    );
    const file = path.join(shop.folder, 'orders.jsonl');
    writeOrders(file, Number(process.env.ORDERCTL_TEST_SEED ?? 22));
    const timeout = { timeoutMs: 600_000 };
    await shop.ok(['produce', '--flow', 'checkout', '--file', file], timeout);
    await shop.ok('run --until-end --gateway local', timeout);
    const { windows, total } = (await shop.json('analytics show --hours 8')) as unknown as {
      readonly windows: readonly Record<string, unknown>[];
      readonly total: { readonly completed: number; readonly failed: number };
    };
    expect(total.completed).toBeGreaterThan(ORDERS / 5);
    expect(total.failed).toBeGreaterThan(ORDERS / 5);
    const [metrics, top] = await runFlink(at);
    const text = (value: unknown): string => String(value);
    const expected = windows.filter(({ order_count }) => order_count !== 0);
    const hours = [...(metrics ?? [])].sort();
    expect(hours.map((row) => row.slice(0, 3))).toEqual(
      expected.map((window) => [
        text(window.window_start).replace(':00.000Z', ''),
        text(window.order_count),
        text(window.total_revenue),
      ]),
    );
    for (const [n, { avg_order_value }] of expected.entries())
      expect(Math.abs(Number(hours[n]?.[3]) - Number(avg_order_value))).toBeLessThanOrEqual(0.005);
    const { products } = (await shop.json('analytics top')) as unknown as {
      readonly products: readonly Record<string, unknown>[];
    };
    expect(top).toEqual(
      products.map((one) => [text(one.product_id), text(one.total_quantity), text(one.total_revenue)]),
    );
  },
);
