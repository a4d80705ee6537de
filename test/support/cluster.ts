import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { findJava, installJars } from '../../deploy/kafka/install.mjs';
import {
  freePort,
  startKafka,
  startRegistry,
  type Installation,
  type SecureListener,
  type Service,
} from '../../deploy/kafka/services.mjs';

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

type Launch = (installation: Installation, options: { folder: string; port: number }) => Promise<Service>;

/** @param secure a further listener, on a port of its own */
export function startPrivateBroker(secure?: SecureListener): Promise<Private> {
  return startPrivate((installation, options) =>
    startKafka(installation, secure === undefined ? options : { ...options, secure }),
  );
}

export function startPrivateRegistry(): Promise<Private> {
  return startPrivate(startRegistry);
}

/** The address of nobody: a connection is refused at once. */
export async function deadAddress(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}

async function startPrivate(launch: Launch): Promise<Private> {
  const installation = { java: findJava(), jars: await installJars(() => undefined) };
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-cluster-'));
  const port = await freePort();
  let generation = 0;
  let service: Service | null = null;
  onTestFinished(async () => {
    service?.signal('SIGKILL');
    await service?.exited;
    fs.rmSync(root, { recursive: true, force: true });
  });
  const start: Private['start'] = async ({ fresh = false } = {}) => {
    if (fresh) generation += 1;
    service = await launch(installation, { folder: path.join(root, String(generation)), port });
  };
  await start();
  const address = (service as Service | null)?.address ?? '';
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
