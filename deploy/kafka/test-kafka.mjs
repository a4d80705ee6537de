#!/usr/bin/env node
// @ts-check
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotStart, findJava, installJars } from './install.mjs';
import { startKafka } from './broker.mjs';
import { freePort, startRegistry } from './services.mjs';

/**
 * `npm run test:kafka [-- vitest's arguments]`: starts a broker and a registry on free ports, builds the binary, and
 * runs the tests of vitest.kafka.config.ts, or of another --config, against them. Exits with vitest's exit code.
 */
const ROOT = join(import.meta.dirname, '..', '..');

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
let interrupted = false;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    interrupted = true;
    for (const child of children) child.kill('SIGTERM');
  });
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} its exit code; 130 when a signal ended it
 */
function run(command, args, env = process.env) {
  if (interrupted) return Promise.resolve(130);
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
  children.add(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      children.delete(child);
      resolve(code ?? 130);
    });
  });
}

async function main() {
  const built = await run('npm', ['run', '--silent', 'build']);
  if (built !== 0) return built;

  const installation = { java: findJava(), jars: await installJars(say) };
  const folder = mkdtempSync(join(tmpdir(), 'orderctl-kafka-'));
  /** @type {import('./services.mjs').Service[]} */
  const running = [];
  try {
    const temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    running.push(await startKafka(installation, { folder, port: await freePort() }));
    running.push(await startRegistry(installation, { folder, port: await freePort() }));
    const [broker, registry] = running;
    say(`Apache Kafka ${broker?.address ?? ''}, registry ${registry?.address ?? ''}`);
    const given = process.argv.slice(2);
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    return await run(
      process.execPath,
      [
        vitest,
        'run',
        ...(given.includes('--config') ? [] : ['--config', 'vitest.kafka.config.ts']),
        ...given,
      ],
      {
        ...process.env,
        ORDERCTL_TEST_BROKERS: broker?.address,
        ORDERCTL_TEST_REGISTRY: registry?.address,
        // The files of interrupted tests are deleted with the folder.
        TMPDIR: temporary,
      },
    );
  } finally {
    await Promise.all(running.map((service) => service.stop()));
    // A broker of an interrupted test may need a moment to exit and may still write.
    rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 250 });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  say(`error: ${error.message}`);
  process.exitCode = error.exitCode;
}
