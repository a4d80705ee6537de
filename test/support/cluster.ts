import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { findJava, installJars } from '../../deploy/kafka/install.mjs';
import { startKafka, type ExtraListener } from '../../deploy/kafka/broker.mjs';
import { freePort, startRegistry, type Installation, type Service } from '../../deploy/kafka/services.mjs';
import { startDev } from './dev-service.ts';

/** A broker or registry for one test, for tests that stop, pause or replace it. */
export interface Private {
  /** The address for orderctl: host:port, or the registry's URL with its path. */
  readonly address: string;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly stop: () => Promise<void>;
  /** Sends SIGKILL and waits for the exit. */
  readonly kill: () => Promise<void>;
  /** Restarts it under the same address, with its data or, when `fresh`, without: as another cluster. */
  readonly start: (options?: { fresh?: boolean }) => Promise<void>;
}

/** Whether this run uses the broker inside orderctl: tests that need a real Kafka are then skipped. */
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

/** A real Kafka with an additional listener, on its own port. */
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

/** An address without a listener: connections are refused at once. */
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
