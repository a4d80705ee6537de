import pg from 'pg';
import { onTestFinished } from 'vitest';
import { freePort } from '../../../deploy/kafka/services.mjs';
import { startPostgres } from '../../../deploy/postgres/server.mjs';
import { SETTINGS } from '../postgres.ts';
import { waitFor } from '../wait.ts';
import { temporaryFolderOfTest } from './folder.ts';

/** A PostgreSQL for this test, which is killed and restarted with its data. */
export interface KillableDatabase {
  readonly url: string;
  /** Resolves once it answers: it may be recovering. */
  ask<Row extends object>(statement: string): Promise<Row[]>;
  /** @throws Error when it does not answer */
  askOnce<Row extends object>(statement: string): Promise<Row[]>;
  /** kill -9 of its main process and all others. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** kill -9 of one of our backends: the server then ends all sessions, and recovers. */
  killSession(random: () => number): Promise<void>;
  /** Terminates one of our sessions, as an administrator does. */
  endSession(random: () => number): Promise<void>;
}

export async function startDatabase(): Promise<KillableDatabase> {
  const folder = temporaryFolderOfTest('orderctl-postgres-');
  const options = { folder, port: await freePort(), settings: SETTINGS };
  let service = await startPostgres(options);
  onTestFinished(() => service.stop());
  return {
    ...killableDatabase(() => service.address),
    url: service.address,
    async kill() {
      service.signal('SIGKILL');
      await service.exited;
    },
    async restart() {
      // Its other processes take a moment to notice that the main one has died, and block a restart until then.
      const starting = (): ReturnType<typeof startPostgres> => startPostgres(options);
      const late = { timeoutMs: 60_000, everyMs: 200 };
      service = await waitFor('PostgreSQL to start again', starting, () => true, late);
    },
  };
}

/** Queries a server and ends its sessions. @param address returns its present address */
export function killableDatabase(address: () => string): Omit<KillableDatabase, 'url' | 'kill' | 'restart'> {
  const askOnce = async <Row extends object>(statement: string): Promise<Row[]> => {
    const client = new pg.Client(address());
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(statement)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const ask = <Row extends object>(statement: string): Promise<Row[]> =>
    waitFor(
      'the database',
      () => askOnce<Row>(statement),
      () => true,
      { timeoutMs: 60_000, everyMs: 200 },
    );
  const oneOf = async (random: () => number): Promise<number | null> => {
    const sessions = await ask<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'orderctl'`,
    );
    return sessions[Math.floor(random() * sessions.length)]?.pid ?? null;
  };
  return {
    ask,
    askOnce,
    async killSession(random) {
      const pid = await oneOf(random);
      if (pid === null) return;
      process.kill(pid, 'SIGKILL');
      await ask('SELECT 1');
    },
    async endSession(random) {
      const pid = await oneOf(random);
      if (pid !== null) await ask(`SELECT pg_terminate_backend(${pid})`);
    },
  };
}
