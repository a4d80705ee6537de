// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ORDERCTL } from '../lib/cluster.mjs';
import { median } from '../lib/measure.mjs';
import { printTable, whole } from '../lib/table.mjs';

const LOOK_EVERY_MS = 10;
const GIVE_UP_MS = 120_000;

/**
 * From the start of `up` in an empty folder until a browser is shown the page, and until the first order is COMPLETED
 * that it sends again and again from the beginning.
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
  const [port, broker, registry] = await freePorts(3);
  const flags = ['--port', port, '--broker-port', broker, '--registry-port', registry].map(String);
  const from = performance.now();
  const up = spawn(process.execPath, [ORDERCTL, 'up', ...flags], { cwd: folder, stdio: 'ignore' });
  try {
    const url = `http://127.0.0.1:${port}`;
    await until(async () => (await fetch(`${url}/`)).ok);
    const pageMs = performance.now() - from;
    const order = { order_id: 'FIRST-1', user: 'alice', item: 'pen', quantity: 1 };
    const headers = { 'content-type': 'application/json' };
    await until(async () => {
      const body = JSON.stringify(order);
      const answer = await fetch(`${url}/order?wait=20s`, { method: 'POST', headers, body });
      const state = /** @type {{ status: unknown }} */ (await answer.json());
      return answer.ok && state.status === 'COMPLETED';
    });
    return { pageMs, orderMs: performance.now() - from };
  } finally {
    const ended = once(up, 'close');
    up.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {() => Promise<boolean>} isSo a connection that is refused is a no */
async function until(isSo) {
  const limit = performance.now() + GIVE_UP_MS;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > limit) throw new Error(`up was not there within ${GIVE_UP_MS / 1_000} s`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** @param {number} count */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = [];
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening');
    const address = server.address();
    ports.push(typeof address === 'object' && address !== null ? address.port : 0);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}
