import { Failure } from '../../../domain/failure.ts';
import type { ConsumerStatus, OwnOptions, RunningConsumer, StoppedConsumer } from '../../../ports/owner.ts';
import type { Connection } from '../connection.ts';
import { describe, ownerOf, type Instance } from './lock.ts';

/* An owner is asked by a notification, answers in its row of orderctl.instances, and notifies that it did. */

const ASK = 'orderctl_ask';
const ANSWER = 'orderctl_answer';
/** Of edits by other processes. */
export const EDITED = 'orderctl_edited';

/** An owner answers at once: what takes longer is paused, or busy beyond use. */
const ANSWER_MS = 5_000;
/** A stop takes ten seconds at most. */
const STOP_MS = 10_000;
const LOOK_MS = 50;

interface Request {
  readonly id: string;
  readonly kind: 'status' | 'stop';
}

/** @param connection of the owner, not the one that it commits on @param backend of the one that it does */
export async function answerRequests(
  connection: Connection,
  backend: number,
  how: OwnOptions,
): Promise<void> {
  await connection.listen(ASK, (payload) => {
    const { id, kind } = JSON.parse(payload) as Request;
    const status = how.status?.() ?? null;
    if (kind === 'stop') how.onStop?.();
    // A session that is gone ends the owner by itself.
    void connection
      .query(
        `WITH answered AS (UPDATE orderctl.instances SET status = $2, answered = $3 WHERE backend = $1 RETURNING answered)
         SELECT pg_notify('${ANSWER}', answered) FROM answered`,
        [backend, JSON.stringify(status), id],
      )
      .catch(() => undefined);
  });
}

/** @throws Failure owner_unreachable */
async function ask(connection: Connection, owner: Instance, request: Request): Promise<void> {
  const answered = new Promise<true>((resolve) => {
    void connection.listen(ANSWER, (id) => {
      if (id === request.id) resolve(true);
    });
  });
  await connection.query(`SELECT pg_notify('${ASK}', $1)`, [JSON.stringify(request)]);
  const deadline = Date.now() + ANSWER_MS;
  // The answer, or that nobody is there to give one.
  while ((await Promise.race([answered, pause(LOOK_MS)])) !== true) {
    if ((await ownerOf(connection))?.backend !== owner.backend) return;
    if (Date.now() < deadline) continue;
    throw new Failure(
      'owner_unreachable',
      `${connection.name} belongs to ${describe(owner)}, which does not answer`,
      { fix: { kind: 'wake_owner', pid: owner.pid } },
    );
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns null when no consumer owns the store @throws Failure owner_unreachable */
export async function askStatus(
  connection: Connection,
  newId: () => string,
): Promise<RunningConsumer | null> {
  const owner = await ownerOf(connection);
  if (owner?.is_consumer !== true) return null;
  const id = newId();
  await ask(connection, owner, { id, kind: 'status' });
  const [row] = await connection.query<{ status: ConsumerStatus | null }>(
    'SELECT status FROM orderctl.instances WHERE answered = $1',
    [id],
  );
  const status = row?.status ?? null;
  return status === null ? null : { pid: owner.pid, startedAt: owner.started_at, status };
}

/** As stopConsumer of Owner: one that does not end is shut out by ending its session. */
export async function askToStop(
  connection: Connection,
  kill: boolean,
  newId: () => string,
): Promise<StoppedConsumer | null> {
  const owner = await ownerOf(connection);
  if (owner?.is_consumer !== true) return null;
  const { pid, backend } = owner;
  const deadline = Date.now() + STOP_MS;
  try {
    await ask(connection, owner, { id: newId(), kind: 'stop' });
  } catch (error) {
    if (!kill) throw error;
    return end(connection, owner);
  }
  while ((await ownerOf(connection))?.backend === backend) {
    if (Date.now() < deadline) await pause(LOOK_MS);
    else if (kill) return end(connection, owner);
    else {
      throw new Failure(
        'owner_unreachable',
        `${describe(owner)} was asked to stop and has not ended after ${STOP_MS / 1000} s`,
        { fix: { kind: 'end_owner' } },
      );
    }
  }
  return { pid, killed: false };
}

/** Without its session it can change nothing, and leaves when it notices, on whatever machine it runs. */
async function end(connection: Connection, { pid, backend }: Instance): Promise<StoppedConsumer> {
  await connection.query('SELECT pg_terminate_backend($1)', [backend]);
  return { pid, killed: true };
}
