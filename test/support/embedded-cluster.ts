import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import build from './build.ts';
import { startDev } from './dev-service.ts';

/**
 * Set-up of a whole run: builds the binary and starts its embedded broker and registry; tests find them by the
 * environment.
 */
export default async function start(): Promise<() => Promise<void>> {
  await build();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-embedded-'));
  const dev = await startDev({ folder });
  process.env.ORDERCTL_TEST_CLUSTER = 'embedded';
  process.env.ORDERCTL_TEST_BROKERS = dev.brokers;
  process.env.ORDERCTL_TEST_REGISTRY = dev.registry;
  return async () => {
    await dev.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  };
}
