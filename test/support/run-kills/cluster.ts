import { onTestFinished } from 'vitest';
import { freePort } from '../../../deploy/kafka/services.mjs';
import { startDev, type DevService } from '../dev-service.ts';
import { temporaryFolderOfTest } from './folder.ts';

/** Broker and registry in a process for this test, which is killed and restarted with its data. */
export interface KillableCluster {
  readonly brokers: string;
  readonly registry: string;
  killAndRestart(): Promise<void>;
}

export async function startCluster(): Promise<KillableCluster> {
  const options = {
    folder: temporaryFolderOfTest('orderctl-kills-'),
    port: await freePort(),
    registryPort: await freePort(),
  };
  let dev: DevService = await startDev(options);
  onTestFinished(() => dev.stop());
  return {
    brokers: dev.brokers,
    registry: dev.registry,
    async killAndRestart() {
      dev.signal('SIGKILL');
      await dev.exited;
      dev = await startDev(options);
    },
  };
}
