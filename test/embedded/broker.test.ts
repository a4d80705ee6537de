import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

import { startDevBroker, type DevBroker } from '../../src/dev-broker/dev-broker.ts';
import { brokerContract } from '../contract/broker.suite.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'embedded-'));
let broker: DevBroker | undefined;

afterAll(async () => {
  await broker?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

brokerContract(async () => {
  broker = await startDevBroker({ port: 0, dataDir });
  return [broker.address];
});
