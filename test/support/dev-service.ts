import { spawn } from 'node:child_process';
import path from 'node:path';
import { freePort, type Service } from '../../deploy/kafka/services.mjs';

const BINARY = path.resolve(import.meta.dirname, '../../bin/orderctl');

/** `orderctl dev` as a process for one test: it replaces Kafka and the registry where there is only Node. */
export interface DevService extends Omit<Service, 'name' | 'port' | 'logFile' | 'address'> {
  readonly brokers: string;
  readonly registry: string;
}

/**
 * @param options ports are free ones by default
 * @returns once both answer
 * @throws Error with its output when it exits first
 */
export async function startDev(options: {
  folder: string;
  port?: number;
  registryPort?: number;
}): Promise<DevService> {
  const port = options.port ?? (await freePort());
  const registryPort = options.registryPort ?? (await freePort());
  const child = spawn(
    process.execPath,
    [
      BINARY,
      'dev',
      '--port',
      `${port}`,
      '--registry-port',
      `${registryPort}`,
      '--data',
      options.folder,
      '-o',
      'json',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.stdout.once('data', () => resolve());
    void exited.then(() => reject(new Error(`orderctl dev ended: ${said}`)));
  });
  return {
    brokers: `127.0.0.1:${port}`,
    registry: `http://127.0.0.1:${registryPort}`,
    pid: child.pid ?? 0,
    exited,
    signal: (signal) => void child.kill(signal),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
