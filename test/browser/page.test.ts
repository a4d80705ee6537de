import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { chromium, launch } from '../support/browser.ts';
import { openShop, type Running, type Shop } from '../support/cli.ts';
import { startUp } from '../support/up-shop.ts';
import { waitFor } from '../support/wait.ts';

const MAX_COMPRESSED_BYTES = 60 * 1024;
const DIST = path.resolve(import.meta.dirname, '../../dist');
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** Longer than the page needs on a machine that does nothing else. */
const SLOW_MS = 60_000;

test('all that the browser loads is small', () => {
  const [, build = ''] =
    /'\.\/(\w+)\/main\.js'/.exec(fs.readFileSync(path.join(DIST, 'main.js'), 'utf8')) ?? [];
  const files = ['page.html', 'page.js', 'page.css'].map((name) =>
    fs.readFileSync(path.join(DIST, build, name)),
  );
  const sizeBytes = files.reduce((sum, bytes) => sum + gzipSync(bytes).length, 0);
  expect(sizeBytes).toBeLessThan(MAX_COMPRESSED_BYTES);
});

interface Opened {
  readonly shop: Shop;
  readonly page: Page;
  readonly up: Running;
  /** What the page loaded from anywhere, and what it complained of. */
  readonly loaded: string[];
  readonly errors: string[];
  readonly url: string;
}

async function openPage(): Promise<Opened> {
  const shop = openShop();
  const { up, addresses } = await startUp(shop);
  const browser = await launch(chromium ?? '');
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 320, height: 800 } });
  page.setDefaultTimeout(SLOW_MS);
  const [loaded, errors]: [string[], string[]] = [[], []];
  page.on('request', (request) => loaded.push(request.url()));
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(addresses.url);
  return { shop, page, up, loaded, errors, url: addresses.url };
}

/** What axe finds that keeps users from using the page. */
async function barriers(page: Page): Promise<string[]> {
  const known = await page.evaluate('"axe" in window');
  // Not by a script element, which the page's policy refuses.
  if (!known) await page.evaluate(fs.readFileSync(AXE, 'utf8'));
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

const verdict = (page: Page, look: string) => page.locator(`.verdict.${look}`);

async function placeOrder(page: Page, way: 'direct' | 'checkout'): Promise<void> {
  await page.getByLabel('User', { exact: true }).fill('alice');
  await page.getByLabel('Item', { exact: true }).fill('desk');
  await page.getByLabel('Quantity').fill('2');
  await page.getByLabel('Way').selectOption(way);
  await page.getByRole('button', { name: 'Order', exact: true }).click();
  await page.locator('.place .said').filter({ hasText: 'completed' }).waitFor();
}

test.skipIf(chromium === undefined)(
  'in a browser: orders are placed and followed, stock is edited, the shop is killed, and the sum stays right',
  { timeout: 240_000 },
  async () => {
    const { shop, page, up, loaded, errors, url } = await openPage();
    await verdict(page, 'good').waitFor();
    expect(await barriers(page)).toEqual([]);

    await placeOrder(page, 'direct');
    await page.locator('.orders .row').filter({ hasText: 'desk × 2' }).first().click();
    await page.getByText('user alice has paid').waitFor();

    await placeOrder(page, 'checkout');
    const newest = page.locator('.orders .row').filter({ hasText: 'alice' }).first();
    if ((await newest.getAttribute('aria-expanded')) === 'false') await newest.click();
    for (const step of ['validated', 'paid', 'dispatched']) {
      await page.locator('.timeline b').filter({ hasText: step }).first().waitFor();
    }
    await page.locator('.records summary').first().click();
    // Raw and decoded: the order id in Avro is its first field.
    await page
      .locator('.record pre')
      .filter({ hasText: /^order_id = "?WEB-/ })
      .first()
      .waitFor();
    await page.locator('[data-place="processor:payment"]').click();
    await page
      .locator('.opened td')
      .filter({ hasText: /^orders.validated$/ })
      .waitFor();
    await page.locator('.alerts summary').filter({ hasText: 'to alice' }).first().waitFor();

    await page.getByText('you placed 2 · answered 2 · decided 2 · lost 0').waitFor();

    await page.locator('.stock .row').filter({ hasText: /^desk/ }).click();
    await page.getByLabel('By', { exact: true }).fill('4');
    await page.getByLabel('Why').fill('a delivery');
    await page.getByRole('button', { name: 'Adjust' }).click();
    // 500, less two by each way, and four more.
    await page.locator('.stock .number').filter({ hasText: '500' }).waitFor();
    await page.getByText('There were 496, now there are 500.').waitFor();
    await page.locator('.stock .history li').filter({ hasText: '496 → 500a delivery, by ' }).waitFor();
    await page
      .locator('.stock .history li')
      .filter({ hasText: /49\d → 49\dorder / })
      .first()
      .waitFor();
    expect((await shop.ok('inventory log desk')).stdout).toContain('a delivery');

    await page.getByRole('button', { name: 'kill -9 the shop' }).click();
    await up.says(/run \(\d+\) was ended by SIGKILL/);
    await page
      .locator('.receipt')
      .filter({ hasText: /kill -9 \d+ .*books ✓/ })
      .waitFor();
    await verdict(page, 'good').waitFor();
    expect(await page.locator('.verdict').textContent()).not.toContain('by the books');

    await page.getByRole('button', { name: 'garbage', exact: true }).click();
    const letter = page.locator('.dead-letters .row').filter({ hasText: 'missing field' }).first();
    await letter.click();
    await page
      .getByLabel('Corrected value')
      .fill(JSON.stringify({ order_id: 'MENDED-1', user: 'alice', item: 'pen', quantity: 1 }));
    await page.getByRole('button', { name: 'Send it back' }).click();
    await waitFor(
      'the mended order',
      async () => (await fetch(`${url}/orders/MENDED-1?wait=5s`)).json() as Promise<{ status: string }>,
      ({ status }) => status === 'COMPLETED',
      { timeoutMs: SLOW_MS },
    );

    // With everything open, on the narrowest screen, nothing is cut off, and in the dark all can be read.
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    expect(loaded.filter((one) => !one.startsWith(url) && !one.startsWith('data:'))).toEqual([]);
    expect(errors).toEqual([]);

    up.signal('SIGINT');
    expect(await up.exited).toMatchObject({ code: 0 });
    // Dated, and never green.
    await verdict(page, 'unknown').waitFor();
    await page.locator('.verdict .trouble').filter({ hasText: 'The server does not answer' }).waitFor();
    await page.locator('.pipe').filter({ hasText: 'none waits' }).first().waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'chaos', disabled: true }).waitFor();
    await shop.ok('audit');
  },
);

test.skipIf(chromium === undefined)(
  'in a browser: a shop without a processor says that orders wait, and one with a token asks for it',
  { timeout: 120_000 },
  async () => {
    const shop = openShop();
    fs.writeFileSync(path.join(shop.folder, 'token'), `${'t'.repeat(32)}\n`);
    await shop.ok('user add alice --status paid');
    const server = shop.start(`serve --port 0 --api-token-file ${path.join(shop.folder, 'token')} -o json`);
    await waitFor('address', server.stdout, (text) => text.endsWith('\n'));
    const browser = await launch(chromium ?? '');
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(SLOW_MS);
    await page.goto((JSON.parse(server.stdout()) as { url: string }).url);
    await page.getByText('This shop requires a token').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel('Token').fill('t'.repeat(32));
    await page.keyboard.press('Enter');
    await page.getByText('No processor runs on this shop').waitFor();
    await page.locator('.process.gone').getByText('no process: orders wait in Kafka').waitFor();
    await page.getByText('This shop has no items').waitFor();
    // What could break it is not offered.
    expect(await page.locator('.breaking').count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
  },
);
