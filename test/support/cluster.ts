import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { findJava, installJars } from '../../deploy/kafka/install.mjs';
import { startKafka, type ExtraListener } from '../../deploy/kafka/broker.mjs';
import { freePort, startRegistry, type Installation, type Service } from '../../deploy/kafka/services.mjs';
import { startDev } from './dev-service.ts';

/** A broker or registry of one test's own, for tests that stop, pause or replace it. */
export interface Private {
  /** What orderctl is given: host:port, or the registry's URL with its path. */
  readonly address: string;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly stop: () => Promise<void>;
  /** SIGKILL, and waits for the end. */
  readonly kill: () => Promise<void>;
  /** Starts it again under the same address, with its data or, `fresh`, without: another cluster. */
  readonly start: (options?: { fresh?: boolean }) => Promise<void>;
}

/** Whether this run is on the broker inside orderctl: what only a real Kafka has is then left out. */
export const isEmbedded = process.env.ORDERCTL_TEST_CLUSTER === 'embedded';

type Running = Pick<Service, 'address' | 'signal' | 'stop' | 'exited'>;
type Launch = (options: { folder: string; port: number }) => Promise<Running>;

export function startPrivateBroker(): Promise<Private> {
  return startPrivate(
    isEmbedded
      ? async (options) => {
          const dev = await startDev(options);
          return { ...dev, address: dev.brokers };
        }
      : async (options) => startKafka(await installed(), options),
  );
}

/** A real Kafka with a further listener, on a port of its own. */
export function startSecureBroker(listener: Omit<ExtraListener, 'name'>): Promise<Private> {
  const extra = [{ name: 'SECURE', ...listener }];
  return startPrivate(async (options) => startKafka(await installed(), { ...options, extra }));
}

export function startPrivateRegistry(): Promise<Private> {
  return startPrivate(
    isEmbedded
      ? async ({ folder, port }) => {
          const dev = await startDev({ folder, registryPort: port });
          return { ...dev, address: dev.registry };
        }
      : async (options) => startRegistry(await installed(), options),
  );
}

async function installed(): Promise<Installation> {
  return { java: findJava(), jars: await installJars(() => undefined) };
}

/** The address of nobody: a connection is refused at once. */
export async function deadAddress(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}

async function startPrivate(launch: Launch): Promise<Private> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-cluster-'));
  const port = await freePort();
  let generation = 0;
  let service: Running | null = null;
  onTestFinished(async () => {
    service?.signal('SIGKILL');
    await service?.exited;
    fs.rmSync(root, { recursive: true, force: true });
  });
  const start: Private['start'] = async ({ fresh = false } = {}) => {
    if (fresh) generation += 1;
    service = await launch({ folder: path.join(root, String(generation)), port });
  };
  await start();
  const address = (service as Running | null)?.address ?? '';
  return {
    address,
    signal: (signal) => service?.signal(signal),
    stop: async () => service?.stop(),
    kill: async () => {
      service?.signal('SIGKILL');
      await service?.exited;
    },
    start,
  };
}
