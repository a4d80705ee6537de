import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../../../domain/failure.ts';
import type { StoppedConsumer } from '../../../ports/owner.ts';
import { errorCode } from '../fs.ts';
import { describe } from './failures.ts';
import { contact, readHello, socketName, socketNumbers, withShortPath } from './socket.ts';
import type { Hello } from './wire.ts';
import { ask } from './owner.ts';
import { pidOf, processes } from './processes.ts';

/** A running owner answers at once: one that takes longer is paused, or busy beyond use. */
const ANSWER_MS = 2_000;
/** A stop takes at most ten seconds. */
const STOP_MS = 10_000;
const HELLO_MS = 1_000;
const DEATH_MS = 5_000;
const LOOK_MS = 20;

/**
 * Asks the consumer that owns a folder to finish and end, and waits for it.
 *
 * @param request a consumer answers it with true, and stops
 * @param kill kills an owner that does not do so in time, after making sure that the process with that number owns the
 * folder
 * @returns null when no consumer owns it
 * @throws Failure owner_unreachable
 */
export async function stopOwner(
  folder: string,
  request: unknown,
  kill: boolean,
): Promise<StoppedConsumer | null> {
  const deadline = performance.now() + STOP_MS;
  const owner = await ownerOf(folder);
  if (owner === null) return null;
  try {
    const answered = await ask(folder, request, ANSWER_MS);
    if (answered?.answer !== true) return null;
  } catch (error) {
    if (!isFailure(error, 'owner_unreachable') || !kill) throw error;
    return killOwner(folder);
  }
  if (await hasEnded(folder, owner, deadline)) return { pid: owner.pid, killed: false };
  if (kill) return killOwner(folder);
  throw new Failure(
    'owner_unreachable',
    `${describe(owner)} was asked to stop and has not ended after ${STOP_MS / 1000} s`,
    { fix: { kind: 'end_owner' } },
  );
}

/** @returns null when no process owns the folder */
async function ownerOf(folder: string): Promise<Hello | null> {
  return withShortPath(folder, async (short) => {
    for (;;) {
      const [number] = socketNumbers(folder);
      if (number === undefined) return null;
      const found = await contact(path.join(short, socketName(number)), HELLO_MS);
      if (found.kind === 'open') found.socket.destroy();
      // An owner that took over meanwhile is a different one.
      if (socketNumbers(folder)[0] !== number) continue;
      switch (found.kind) {
        case 'free':
          return null;
        case 'gone':
          await sleep(LOOK_MS);
          continue;
        case 'open':
          return found.hello;
        case 'silent':
          return readHello(folder, number) ?? UNKNOWN;
      }
    }
  });
}

/** It owns the folder and has not identified itself. */
const UNKNOWN: Hello = { pid: 0, purpose: 'an owner', startedAt: 'an unknown time', process: null };

/** @returns whether it released the folder and its process has ended, as far as can be seen from here */
async function hasEnded(folder: string, owner: Hello, deadline: number): Promise<boolean> {
  for (;;) {
    const now = await ownerOf(folder);
    const hasExited = owner.process === null || processes.stateOf(owner.process) !== 'alive';
    if (hasExited && (now === null || !isSame(now, owner))) return true;
    if (performance.now() >= deadline) return false;
    await sleep(LOOK_MS);
  }
}

function isSame(a: Hello, b: Hello): boolean {
  return a.pid === b.pid && a.startedAt === b.startedAt;
}

/** @returns null when no process owns the folder any more */
async function killOwner(folder: string): Promise<StoppedConsumer | null> {
  const owner = await ownerOf(folder);
  if (owner === null) return null;
  // The number alone may be another program's by now: the owner that wrote it may have ended long ago.
  if (owner.process === null || processes.stateOf(owner.process) !== 'alive') {
    throw new Failure('owner_unreachable', `${describe(owner)} cannot be seen from here: it was not killed`, {
      fix: 'end it on the machine, or in the container, where it runs',
    });
  }
  const pid = pidOf(owner.process);
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'EPERM') throw error;
    throw new Failure('owner_unreachable', `${describe(owner)} runs as another user: it was not killed`, {
      fix: 'run this command as that user',
      cause: error,
    });
  }
  if (await hasEnded(folder, owner, performance.now() + DEATH_MS)) return { pid, killed: true };
  throw new Failure('owner_unreachable', `${describe(owner)} was killed and has not ended yet`, {
    fix: 'it waits for the disk or the network: run this command again in a moment',
  });
}
