// @ts-check
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ORDERCTL } from '../lib/cluster.mjs';
import { createTopic, writeShop } from '../lib/orders.mjs';
import { settingsOf } from '../lib/programs.mjs';
import { printTable, whole } from '../lib/table.mjs';

/** Multiple of the promised time at which the benchmark fails: the machine does other things too. */
const MARGIN = 2;
/** Time to start, to recover and to join a group, which is measured too but is not part of the promise. */
const START_MS = 1_500;

/**
 * The times that the contract promises, measured from outside: how soon a second consumer is refused, how soon a killed
 * one is succeeded, how long a stop takes, and how long a consumer waits for a broker that does not answer.
 *
 * @param {import('./consume.mjs').Bench} bench
 * @throws {Error} when one takes longer than twice the promised time
 */
export async function benchTimes({ cluster }) {
  const shop = { users: 10, items: 10 };
  const topic = 'bench-times';
  await createTopic(cluster, topic);
  const env = settingsOf({ cluster, topic, count: 0, ...shop, id: topic });
  writeShop(String(env['ORDERCTL_STORAGE']), shop);
  const nobody = { ...env, ORDERCTL_STORAGE: join(cluster.folder, 'nobody') };
  writeShop(nobody.ORDERCTL_STORAGE, shop);

  const first = consume(env);
  await first.says('consuming ');
  const refused = await consume(env).ended;
  expectCode('a second consumer', refused, 4);
  first.child.kill('SIGKILL');
  await first.ended;
  const next = consume(env);
  const succeededMs = await next.says('consuming ');
  const stopAt = performance.now();
  next.child.kill('SIGTERM');
  expectCode('a stop', await next.ended, 0);
  const stoppedMs = performance.now() - stopAt;

  const silent = await listen();
  const closed = await listen();
  await new Promise((resolve) => closed.server.close(resolve));
  const refusing = await consume({ ...nobody, ORDERCTL_BROKERS: `127.0.0.1:${closed.port}` }).ended;
  expectCode('no broker, refused', refusing, 5);
  const waiting = await consume({ ...nobody, ORDERCTL_BROKERS: `127.0.0.1:${silent.port}` }).ended;
  expectCode('no broker, silent', waiting, 5);
  for (const socket of silent.sockets) socket.destroy();
  silent.server.close();

  const found = /** @type {const} */ ([
    ['a second consumer is refused', refused.ms, START_MS],
    ['a killed one is succeeded', succeededMs, START_MS + 1_000],
    ['a stop', stoppedMs, 10_000],
    ['no broker: every address refuses', refusing.ms, START_MS + 2_000],
    ['no broker: none answers', waiting.ms, START_MS + 10_000],
  ]);
  const rows = found.map(([what, ms, limitMs]) => [what, whole(ms), whole(limitMs)]);
  printTable('Promised times, start of the program included', ['what', 'ms', 'at most'], rows);
  const late = found.filter(([, ms, limitMs]) => ms > MARGIN * limitMs);
  if (late.length > 0) throw new Error(`takes too long: ${late.map(([what]) => what).join('; ')}`);
}

/** @param {NodeJS.ProcessEnv} env */
function consume(env) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [ORDERCTL, 'consume'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  const changed = new Set();
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += String(text);
    for (const look of changed) look();
  });
  /** @type {Promise<{code: number | null, ms: number, stderr: string}>} */
  const ended = new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, ms: performance.now() - startedAt, stderr }));
  });
  return {
    child,
    ended,
    /** @param {string} text @returns {Promise<number>} milliseconds until it printed the text */
    says: (text) =>
      Promise.race([
        new Promise((resolve) => {
          changed.add(() => {
            if (stderr.includes(text)) resolve(performance.now() - startedAt);
          });
        }),
        ended.then(({ stderr: all }) => {
          throw new Error(`consume exited without printing ${JSON.stringify(text)}: ${all}`);
        }),
      ]),
  };
}

/** @param {string} what @param {{code: number | null, stderr: string}} result @param {number} code */
function expectCode(what, result, code) {
  if (result.code !== code) throw new Error(`${what}: exit code ${result.code ?? '?'}: ${result.stderr}`);
}

/** A port on which a client can connect but gets no answer. */
async function listen() {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  await /** @type {Promise<void>} */ (
    new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  );
  const address = server.address();
  return { server, sockets, port: typeof address === 'object' && address !== null ? address.port : 0 };
}
