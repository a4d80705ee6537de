import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chromium, launch } from './browser.ts';

/*
 * `npm run screenshot`: docs/page.png, as README.md shows it: a shop on which samples flow, a minute after a kill -9.
 */

const ROOT = path.resolve(import.meta.dirname, '../..');
const [WIDTH, HEIGHT] = [1_120, 760];
const SLOW_MS = 120_000;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-page-'));
const ports = ['--port', '0', '--broker-port', '0', '--registry-port', '0'];
const up = spawn(
  process.execPath,
  [path.join(ROOT, 'bin/orderctl'), 'up', ...ports, '--sample', '8', '-o', 'json'],
  {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  },
);
try {
  const [line] = (await once(up.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { url: string };
  const browser = await launch(chromium ?? '');
  const page = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT }, colorScheme: 'light' });
  page.setDefaultTimeout(SLOW_MS);
  await page.goto(url);
  await page.locator('.verdict.good, .verdict.moving').waitFor();
  await page.getByRole('button', { name: 'kill -9 the shop' }).click();
  await page.locator('.receipt').filter({ hasText: 'books ✓' }).waitFor();
  // Orders flow again.
  await page.waitForTimeout(6_000);
  await page.locator('.verdict.good').waitFor();
  await page.screenshot({ path: path.join(ROOT, 'docs/page.png') });
  await browser.close();
} finally {
  up.kill('SIGTERM');
  await once(up, 'close');
  fs.rmSync(folder, { recursive: true, force: true });
}
