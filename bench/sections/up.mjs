// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../deploy/kafka/services.mjs';
import { ORDERCTL } from '../lib/cluster.mjs';
import { median } from '../lib/measure.mjs';
import { printTable, whole } from '../lib/table.mjs';

const LOOK_EVERY_MS = 10;
const GIVE_UP_MS = 120_000;

/**
 * From the start of `up` in an empty folder until a browser is shown the page, and until the first of the orders that
 * it keeps sending is COMPLETED.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchUp({ runs }) {
  const found = [];
  for (let run = 0; run < runs; run += 1) found.push(await start());
  const row = (/** @type {string} */ what, /** @type {number[]} */ all, /** @type {number} */ aim) => [
    what,
    whole(median(all)),
    whole(Math.max(...all)),
    whole(aim),
  ];
  printTable(
    'From the start of "up", ms',
    ['until', 'median', 'longest', 'aim'],
    [
      row(
        'the page',
        found.map(({ pageMs }) => pageMs),
        2_000,
      ),
      row(
        'the first order COMPLETED',
        found.map(({ orderMs }) => orderMs),
        6_000,
      ),
    ],
  );
}

async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'orderctl-bench-up-'));
  const [port, broker, registry] = [await freePort(), await freePort(), await freePort()];
  const flags = ['--port', port, '--broker-port', broker, '--registry-port', registry].map(String);
  const from = performance.now();
  const up = spawn(process.execPath, [ORDERCTL, 'up', ...flags], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  up.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => (stderr += text));
  const ended = once(up, 'close');
  /** @param {() => Promise<boolean>} isSo a refused connection counts as false */
  const until = async (isSo) => {
    const limit = performance.now() + GIVE_UP_MS;
    while (!(await isSo().catch(() => false))) {
      if (up.exitCode !== null || up.signalCode !== null) throw new Error(`up has exited: ${stderr}`);
      if (performance.now() > limit) throw new Error(`not within ${GIVE_UP_MS / 1_000} s: ${stderr}`);
      await sleep(LOOK_EVERY_MS);
    }
  };
  try {
    const url = `http://127.0.0.1:${port}`;
    await until(async () => (await fetch(`${url}/`, { signal: AbortSignal.timeout(GIVE_UP_MS) })).ok);
    const pageMs = performance.now() - from;
    const order = { order_id: 'FIRST-1', user: 'alice', item: 'pen', quantity: 1 };
    const headers = { 'content-type': 'application/json' };
    await until(async () => {
      const body = JSON.stringify(order);
      const signal = AbortSignal.timeout(GIVE_UP_MS);
      const answer = await fetch(`${url}/order?wait=20s`, { method: 'POST', headers, body, signal });
      const state = /** @type {{ status: unknown }} */ (await answer.json());
      return answer.ok && state.status === 'COMPLETED';
    });
    return { pageMs, orderMs: performance.now() - from };
  } finally {
    up.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
