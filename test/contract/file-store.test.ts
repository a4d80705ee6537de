import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { systemClock } from '../../src/compose.ts';
import { computedCopiesContract } from './store-computed.suite.ts';
import { storePartsContract } from './store-parts.suite.ts';
import { storeContract, type StoreUnderTest } from './store.suite.ts';

async function make(): Promise<StoreUnderTest> {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-store-'));
  const folder = path.join(parent, 'storage');
  return {
    access: () => openFolder({ folder, clock: systemClock, user: 'tester' }),
    [Symbol.asyncDispose]: async () => fs.rmSync(parent, { recursive: true }),
  };
}

describe('the file store', () => {
  storeContract(make);
  storePartsContract(make);
  computedCopiesContract(make);
});
