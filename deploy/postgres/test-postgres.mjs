#!/usr/bin/env node
// @ts-check
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotStart } from '../kafka/install.mjs';
import { freePort } from '../kafka/services.mjs';
import { findSystemBinaries } from './install.mjs';
import { startPostgres } from './server.mjs';

/**
 * `npm run test:postgres [-- vitest's arguments]`: runs the tests of the PostgreSQL store on the server that
 * ORDERCTL_TEST_POSTGRES names, else on this machine's PostgreSQL. Exits with vitest's exit code.
 */
const ROOT = join(import.meta.dirname, '..', '..');
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');

/** @type {import('node:child_process').ChildProcess | undefined} */
let tests;
let interrupted = false;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    interrupted = true;
    tests?.kill('SIGTERM');
  });
}

/**
 * @param {string} url of a server
 * @returns {Promise<number>} the exit code; 130 when a signal ended it
 */
async function runTests(url) {
  // Selected by file name, in whichever project they are.
  const code = await runVitest(url, ['contract/postgres', 'walks/postgres']);
  return code === 0 ? runVitest(url, ['--config', 'vitest.long.config.ts', 'long/postgres-']) : code;
}

/**
 * @param {string} url
 * @param {readonly string[]} what
 * @returns {Promise<number>}
 */
function runVitest(url, what) {
  if (interrupted) return Promise.resolve(130);
  const args = [VITEST, 'run', ...what, ...process.argv.slice(2)];
  const env = { ...process.env, ORDERCTL_TEST_POSTGRES: url };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
  tests = child;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 130));
  });
}

async function main() {
  const given = process.env.ORDERCTL_TEST_POSTGRES ?? '';
  if (given !== '') return runTests(given);
  const binaries = findSystemBinaries();
  const folder = mkdtempSync(join(tmpdir(), 'orderctl-postgres-'));
  try {
    const service = await startPostgres({
      folder,
      port: await freePort(),
      binaries,
      settings: { max_connections: '100' },
    });
    process.stderr.write(`PostgreSQL ${binaries.version} ${service.address}\n`);
    try {
      return await runTests(service.address);
    } finally {
      await service.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
