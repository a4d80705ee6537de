import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { freePort, type Service } from '../../../deploy/kafka/services.mjs';
import { startPostgres } from '../../../deploy/postgres/server.mjs';
import { ask, SETTINGS } from '../postgres.ts';
import { waitFor } from '../wait.ts';
import { killableDatabase, type KillableDatabase } from './database.ts';
import { temporaryFolderOfTest } from './folder.ts';

const STANDBY = 'standby';
const PATIENT = { timeoutMs: 60_000, everyMs: 100 };

/** A primary and a standby that takes its place. */
export interface PostgresPair extends KillableDatabase {
  /** The URL with both servers, for --store. */
  readonly url: string;
  /** The URL of each server. */
  readonly primary: () => string;
  readonly standby: () => string;
  /** The standby receives nothing from now on: synchronous commits wait, others are lost with the primary. */
  cutReplication(): Promise<void>;
  /** Resolves once the standby accepts writes. The primary must be dead. */
  promote(): Promise<void>;
  /** Whether a commit waits for the standby. */
  setSynchronous(isSynchronous: boolean): Promise<void>;
}

/** After a kill the primary stays down: its standby is promoted, and gets a standby of its own. Commits wait for it. */
export async function startPair(): Promise<PostgresPair> {
  const [one, other] = [await freePort(), await freePort()];
  const server = async (port: number): Promise<Server> =>
    Server.start(temporaryFolderOfTest('orderctl-pair-'), port);
  let primary = await server(one);
  let standby = await primary.newStandby(temporaryFolderOfTest('orderctl-pair-'), other);
  const setSynchronous = (isSynchronous: boolean): Promise<void> =>
    primary.set('synchronous_standby_names', isSynchronous ? STANDBY : '');
  await setSynchronous(true);
  const promote = async (): Promise<void> => {
    await ask(standby.url, 'SELECT pg_promote()');
  };
  return {
    ...killableDatabase(() => primary.url),
    url: `postgres://orderctl@127.0.0.1,127.0.0.1/orderctl?port=${one},${other}`,
    primary: () => primary.url,
    standby: () => standby.url,
    setSynchronous,
    promote,
    async cutReplication() {
      await standby.set('primary_conninfo', '');
      await waitFor(
        'the standby to be gone',
        () => ask(primary.url, 'SELECT FROM pg_stat_replication'),
        (rows) => rows.length === 0,
        PATIENT,
      );
    },
    kill: () => primary.kill(),
    async restart() {
      await promote();
      const { folder, port } = primary;
      primary = standby;
      fs.rmSync(folder, { recursive: true });
      standby = await primary.newStandby(folder, port);
      await setSynchronous(true);
    },
  };
}

class Server {
  readonly folder: string;
  readonly port: number;
  readonly #service: Service;

  private constructor(folder: string, port: number, service: Service) {
    this.folder = folder;
    this.port = port;
    this.#service = service;
    onTestFinished(() => service.stop());
  }

  static async start(folder: string, port: number): Promise<Server> {
    // Everything that a new standby needs, which starts at the last checkpoint.
    const settings = { ...SETTINGS, wal_keep_size: '256MB' };
    return new Server(folder, port, await startPostgres({ folder, port, settings }));
  }

  get url(): string {
    return this.#service.address;
  }

  get #data(): string {
    return path.join(this.folder, 'data');
  }

  async set(name: string, value: string): Promise<void> {
    await ask(this.url, `ALTER SYSTEM SET ${name} = '${value}'`);
    await ask(this.url, 'SELECT pg_reload_conf()');
    await waitFor(
      `${name} to be ${value}`,
      () => ask<Record<string, string>>(this.url, `SHOW ${name}`),
      ([row]) => row?.[name] === value,
      PATIENT,
    );
  }

  async kill(): Promise<void> {
    this.#service.signal('SIGKILL');
    await this.#service.exited;
  }

  /** From a copy of this server, which keeps running. Resolves once the standby receives this server's commits. */
  async newStandby(folder: string, port: number): Promise<Server> {
    await this.#copyTo(folder);
    // The processes of a server that was killed there take a moment to notice.
    const standby = await waitFor(
      'a standby',
      () => Server.start(folder, port),
      () => true,
      PATIENT,
    );
    await waitFor(
      'it to follow',
      () => ask(this.url, `SELECT FROM pg_stat_replication WHERE state = 'streaming'`),
      (rows) => rows.length === 1,
      PATIENT,
    );
    return standby;
  }

  /** Does the work of pg_basebackup, which the package does not contain. */
  async #copyTo(folder: string): Promise<void> {
    const data = path.join(folder, 'data');
    const client = new pg.Client(this.url);
    await client.connect();
    try {
      await client.query(`SELECT pg_backup_start('standby', true)`);
      fs.mkdirSync(data, { recursive: true, mode: 0o700 });
      const own = new Set(['pg_wal', 'postmaster.pid', 'postmaster.opts', 'postgresql.auto.conf']);
      const entries = fs.readdirSync(this.#data).filter((name) => !own.has(name));
      const { stderr } = spawnSync(
        'cp',
        ['-a', ...entries.map((name) => path.join(this.#data, name)), data],
        {
          encoding: 'utf8',
        },
      );
      // A file may be deleted while it is copied: the log that follows contains that too.
      const failed = stderr
        .split('\n')
        .filter((line) => line !== '' && !line.endsWith('No such file or directory'));
      if (failed.length > 0) throw new Error(failed.join('\n'));
      const { rows } = await client.query<{ labelfile: string }>(
        'SELECT labelfile FROM pg_backup_stop(false)',
      );
      fs.mkdirSync(path.join(data, 'pg_wal'), { mode: 0o700 });
      fs.writeFileSync(path.join(data, 'backup_label'), rows[0]?.labelfile ?? '');
      fs.writeFileSync(path.join(data, 'standby.signal'), '');
      const from = `host=127.0.0.1 port=${this.port} user=orderctl application_name=${STANDBY}`;
      fs.writeFileSync(path.join(data, 'postgresql.auto.conf'), `primary_conninfo = '${from}'\n`);
    } finally {
      await client.end();
    }
    const { uid, gid } = fs.statSync(this.#data);
    spawnSync('chown', ['-R', `${uid}:${gid}`, data]);
  }
}
