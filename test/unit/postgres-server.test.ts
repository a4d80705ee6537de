import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../deploy/kafka/services.mjs';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait.ts';

const PROGRAM = path.resolve(import.meta.dirname, '../../deploy/postgres/postgres.mjs');

const folderOf = temporaryFolder();
const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

interface Started {
  readonly stop: (signal: NodeJS.Signals) => Promise<number | null>;
}

/** `npm run postgres`, without npm. */
async function start(folder: string, port: number): Promise<Started> {
  const args = [PROGRAM, '--port', `${port}`, '--data', folder];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  ends.push(() => child.kill('SIGTERM'));
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await waitFor('PostgreSQL', () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${said}`);
    return said.includes('ready');
  });
  return { stop: (signal) => (child.kill(signal), exited) };
}

async function ask(port: number, statement: string): Promise<unknown[]> {
  const client = new pg.Client(`postgres://orderctl@127.0.0.1:${port}/orderctl`);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

test('npm run postgres is a PostgreSQL 18 that syncs, keeps its data and outlives no kill of its parent', async () => {
  const folder = folderOf();
  const port = await freePort();
  const first = await start(folder, port);
  await ask(port, 'CREATE TABLE t AS SELECT 7 AS n');
  const [{ version, fsync } = {}] = (await ask(
    port,
    `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync`,
  )) as { version: string; fsync: string }[];
  expect(version).toMatch(/^18\./);
  expect(fsync).toBe('on');

  const postmaster = Number(fs.readFileSync(path.join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  await first.stop('SIGKILL');
  await waitFor('the end of the postmaster', () => !isAlive(postmaster));

  const second = await start(folder, port);
  expect(await ask(port, 'SELECT n FROM t')).toEqual([{ n: 7 }]);
  expect(await second.stop('SIGINT')).toBe(0);
  await expect(ask(port, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
