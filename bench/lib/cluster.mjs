// @ts-check
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findJava, installJars } from '../../deploy/kafka/install.mjs';
import { startKafka } from '../../deploy/kafka/broker.mjs';
import { freePort, startRegistry } from '../../deploy/kafka/services.mjs';

export const ROOT = join(import.meta.dirname, '..', '..');
export const ORDERCTL = join(ROOT, 'bin', 'orderctl');

/**
 * @typedef {object} Cluster
 * @property {string} name
 * @property {string} brokers
 * @property {string} registry the URL of its Confluent API
 * @property {string} folder for the data of everything that is measured; deleted by `stop`
 * @property {() => Promise<void>} stop
 */

/** @param {string} line */
export const say = (line) => process.stderr.write(`${line}\n`);

/**
 * A broker and a registry for this benchmark alone, on free ports: Apache Kafka, or the ones inside orderctl.
 *
 * @param {{embedded: boolean}} options
 * @returns {Promise<Cluster>}
 */
export async function startCluster({ embedded }) {
  const folder = mkdtempSync(join(tmpdir(), 'orderctl-bench-'));
  try {
    return embedded ? await startEmbedded(folder) : await startReal(folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** @param {string} folder */
async function startReal(folder) {
  const installation = { java: findJava(), jars: await installJars(say) };
  const kafka = await startKafka(installation, { folder, port: await freePort() });
  const registry = await startRegistry(installation, { folder, port: await freePort() });
  return {
    name: 'Apache Kafka 4.3.1',
    brokers: kafka.address,
    registry: registry.address,
    folder,
    stop: async () => {
      await Promise.all([kafka.stop(), registry.stop()]);
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
    },
  };
}

/** @param {string} folder */
async function startEmbedded(folder) {
  const [port, registryPort] = [await freePort(), await freePort()];
  const args = [
    'dev',
    '--port',
    `${port}`,
    '--registry-port',
    `${registryPort}`,
    '--data',
    join(folder, 'dev'),
  ];
  const child = spawn(process.execPath, [ORDERCTL, ...args, '-o', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    void exited.then((code) => reject(new Error(`orderctl dev exited with ${code}`)));
  });
  return {
    name: 'orderctl dev',
    brokers: `127.0.0.1:${port}`,
    registry: `http://127.0.0.1:${registryPort}`,
    folder,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
    },
  };
}
