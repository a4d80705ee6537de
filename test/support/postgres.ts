import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../../deploy/kafka/services.mjs';
import { startPostgres } from '../../deploy/postgres/server.mjs';

export interface TestPostgres extends AsyncDisposable {
  /** Of its database `orderctl`, for `--store`. */
  readonly url: string;
  readonly pid: number;
}

/** Little memory: several test files may have one at a time. It syncs as it does by default. */
export const SETTINGS = { shared_buffers: '16MB', max_connections: '40', max_wal_size: '256MB' };

/** A PostgreSQL of a test's own, on a free port, with its data in a temporary folder. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-postgres-'));
  const service = await startPostgres({ folder, port: await freePort(), settings: SETTINGS });
  return {
    url: service.address,
    pid: service.pid,
    [Symbol.asyncDispose]: async () => {
      await service.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
