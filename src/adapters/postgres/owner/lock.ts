import { Failure } from '../../../domain/failure.ts';
import type { Processes } from '../../../ports/processes.ts';
import type { Connection } from '../connection.ts';

/** Held by the session of the owner, which alone runs transactions: when that is gone, so is the lock. */
const OWNER_LOCK = 0x6f726403;
/** Held by the session that redrives. */
const TASK_LOCKS = { redrive: 0x6f726404 } as const;
/** How long the server may take to notice that a process was killed. */
const GRACE_MS = 5_000;
const LOOK_MS = 50;

/** A process that owns the store, as it wrote itself down. */
export interface Instance {
  /** Of its session. */
  readonly backend: number;
  readonly pid: number;
  readonly identity: string | null;
  readonly purpose: string;
  readonly started_at: number;
  readonly is_consumer: boolean;
}

/** @returns null when nobody owns it */
export async function ownerOf(connection: Connection): Promise<Instance | null> {
  const [row] = await connection.query<Instance>(
    `SELECT i.backend, i.pid, i.identity, i.purpose, i.started_at, i.is_consumer
     FROM pg_locks l JOIN orderctl.instances i ON i.backend = l.pid
     WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objid = $1 AND l.objsubid = 1 AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [OWNER_LOCK],
  );
  return row ?? null;
}

/**
 * Makes the session the owner, until it ends.
 *
 * @throws Failure folder_in_use, at once unless the owner is known to be dead
 */
export async function takeOwnership(
  connection: Connection,
  as: Pick<Instance, 'purpose' | 'started_at' | 'is_consumer'>,
  { processes, sleep }: { processes: Processes; sleep: (ms: number) => Promise<void> },
): Promise<void> {
  for (let waitedMs = 0; !(await tryLock(connection, OWNER_LOCK)); waitedMs += LOOK_MS) {
    const owner = await ownerOf(connection);
    // The lock is free, or its new holder has not written itself down.
    const isLeaving =
      owner === null || (owner.identity !== null && processes.stateOf(owner.identity) === 'dead');
    if (!isLeaving || waitedMs > GRACE_MS) throw inUse(connection, owner);
    await sleep(LOOK_MS);
  }
  await connection.query('DELETE FROM orderctl.instances');
  await connection.query(
    `INSERT INTO orderctl.instances (backend, pid, identity, purpose, started_at, is_consumer)
     VALUES (pg_backend_pid(), $1, $2, $3, $4, $5)`,
    [process.pid, processes.self(), as.purpose, as.started_at, as.is_consumer],
  );
}

function inUse(connection: Connection, owner: Instance | null): Failure {
  const message = `${connection.name} is in use by ${describe(owner)}`;
  return new Failure('folder_in_use', message, { fix: { kind: 'stop_owner' } });
}

export function describe(owner: Instance | null): string {
  if (owner === null) return 'another process';
  return `process ${owner.pid} (${owner.purpose}, since ${new Date(owner.started_at).toISOString()})`;
}

/** @throws Failure folder_in_use */
export async function claimTask(connection: Connection, task: keyof typeof TASK_LOCKS): Promise<void> {
  if (await tryLock(connection, TASK_LOCKS[task])) return;
  throw new Failure('folder_in_use', `another ${task} is at work on ${connection.name}`, {
    fix: 'let it end, or stop it; then run this again',
  });
}

async function tryLock(connection: Connection, lock: number): Promise<boolean> {
  const [row] = await connection.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
    lock,
  ]);
  return row?.taken === true;
}
