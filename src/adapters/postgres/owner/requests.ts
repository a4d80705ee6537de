import { Failure } from '../../../domain/failure.ts';
import type { RunningConsumer, StoppedConsumer } from '../../../ports/owner.ts';
import type { Processes } from '../../../ports/processes.ts';
import type { Connection } from '../connection.ts';
import { describe, withSilent, type Instance } from './instances.ts';
import { together, type AnsweredInstance } from './together.ts';

/*
 * Owners receive requests in their rows of orderctl.instances, and answer there at the next beat, which a
 * notification triggers.
 */

export const ASK = 'orderctl_ask';
/** There are messages for others to send. */
export const OWED = 'orderctl_owed';
/** Other processes have made edits. */
export const EDITED = 'orderctl_edited';

/** An owner answers within a second: one that takes longer is paused, or much too busy. */
const ANSWER_MS = 5_000;
/** A stop takes ten seconds at most. */
const STOP_MS = 10_000;
const CHECK_MS = 50;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Includes silent consumers, unless they are known to be dead. */
async function consumersOf(connection: Connection, processes: Processes): ReturnType<typeof withSilent> {
  const all = await withSilent(connection);
  return all.filter(
    ({ is_consumer, identity }) =>
      is_consumer && (identity === null || processes.stateOf(identity) !== 'dead'),
  );
}

/** @returns null when no consumer owns the store @throws Failure owner_unreachable: none answers */
export async function askStatus(
  connection: Connection,
  processes: Processes,
): Promise<RunningConsumer | null> {
  const all = await consumersOf(connection, processes);
  if (all.length === 0) return null;
  const ids = all.map(({ id }) => id);
  // If others answer, processes that have been silent for long are not waited for.
  const living = all.filter(({ isLiving }) => isLiving).map(({ id }) => id);
  const awaited = new Set(living.length === 0 ? ids : living);
  await connection.query('UPDATE orderctl.instances SET asked = asked + 1 WHERE id = ANY($1)', [ids]);
  await connection.query(`NOTIFY ${ASK}`);
  const deadline = performance.now() + ANSWER_MS;
  for (;;) {
    const answers = await connection.query<AnsweredInstance>(
      `SELECT id, host, pid, identity, purpose, started_at, is_consumer, is_alone,
         CASE WHEN answered >= asked THEN status END AS status
       FROM orderctl.instances WHERE id = ANY($1) AND NOT is_out ORDER BY started_at, id`,
      [ids],
    );
    const [first] = answers;
    if (first === undefined) return null;
    const isOver = performance.now() >= deadline;
    if (!isOver && answers.some(({ id, status }) => status === null && awaited.has(id))) {
      await pause(CHECK_MS);
      continue;
    }
    const found = together(answers);
    if (found === null) throw silent(connection, first);
    return found;
  }
}

function silent(connection: Connection, owner: Instance): Failure {
  return new Failure(
    'owner_unreachable',
    `${connection.name} is in use by ${describe(owner)}, which does not answer`,
    { fix: { kind: 'wake_owner', pid: owner.pid } },
  );
}

/**
 * See Owner.stopConsumer. A process that does not end is shut out, on whatever machine it runs: it can change nothing
 * more, and leaves when it notices.
 */
export async function askToStop(
  connection: Connection,
  processes: Processes,
  { kill, instance }: { readonly kill: boolean; readonly instance: string | null },
): Promise<StoppedConsumer | null> {
  const all = await consumersOf(connection, processes);
  const wanted = instance === null ? all : all.filter((one) => isNamed(one, instance));
  const [first] = wanted;
  if (first === undefined) return null;
  const ids = wanted.map(({ id }) => id);
  await connection.query(
    'UPDATE orderctl.instances SET is_to_stop = true, asked = asked + 1 WHERE id = ANY($1)',
    [ids],
  );
  await connection.query(`NOTIFY ${ASK}`);
  const from = performance.now();
  let left = wanted;
  while (left.length > 0) {
    const rows = await connection.query<{ id: string; hasHeard: boolean }>(
      `SELECT id, answered >= asked AS "hasHeard" FROM orderctl.instances WHERE id = ANY($1) AND NOT is_out`,
      [ids],
    );
    left = wanted.filter(({ id }) => rows.some((row) => row.id === id));
    const forMs = performance.now() - from;
    const deaf = left.filter(({ id }) => rows.some((row) => row.id === id && !row.hasHeard));
    const late = forMs >= STOP_MS ? left : forMs >= ANSWER_MS ? deaf : [];
    const [one] = late;
    if (one === undefined) await pause(CHECK_MS);
    else if (kill) {
      await shutOut(connection, late);
      return stopped(wanted, new Set(late));
    } else throw deaf.includes(one) ? silent(connection, one) : isSlow(one);
  }
  return stopped(wanted, new Set());
}

/** `4711`, or `host:4711` if several machines have that process id. */
function isNamed({ host, pid }: Instance, name: string): boolean {
  return name === String(pid) || name === `${host}:${pid}`;
}

function isSlow(owner: Instance): Failure {
  return new Failure(
    'owner_unreachable',
    `${describe(owner)} was asked to stop and has not ended after ${STOP_MS / 1000} s`,
    { fix: { kind: 'end_owner' } },
  );
}

async function shutOut(connection: Connection, some: readonly Instance[]): Promise<void> {
  await connection.query('UPDATE orderctl.instances SET is_out = true WHERE id = ANY($1)', [
    some.map(({ id }) => id),
  ]);
}

function stopped(all: readonly Instance[], killed: ReadonlySet<Instance>): StoppedConsumer {
  const instances = all.map((one) => ({ pid: one.pid, host: one.host, killed: killed.has(one) }));
  return { pid: all[0]?.pid ?? 0, killed: killed.size > 0, instances };
}
