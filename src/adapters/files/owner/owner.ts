import { chmodSync, linkSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { readdirSync, writeFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isoTime } from '../../../domain/iso-time.ts';
import { Failure } from '../../../domain/failure.ts';
import { adoptByName, adoptSocket, makeOwnDirectory } from '../access.ts';
import { errorCode, writeFailure } from '../fs.ts';
import { processes } from './processes.ts';
import { describe, inUse, unreachable } from './failures.ts';
import {
  contact,
  helloFile,
  readHello,
  socketName,
  socketNumbers,
  withShortPath,
  type Lines,
} from './socket.ts';
import {
  decodeFailure,
  EDIT_PURPOSE,
  encodeFailure,
  isObject,
  onLines,
  writeLine,
  type Hello,
} from './wire.ts';

/** How long an owner may take to send its hello before it counts as not answering. */
const HELLO_TIMEOUT_MS = 1_000;
/** How long to retry while an owner is ending: a killed process closes its sockets only once its memory is freed. */
const TAKEOVER_MS = 5_000;
const RETRY_MS = 5;
/** Sent by an owner that ends: it has not run any request that it has not answered. */
const GOODBYE = { goodbye: true };
const GOODBYE_MS = 500;
/** Leftovers of processes that were killed while they tried to own the folder are removed when they are older. */
const LEFTOVER_MS = 60_000;

/** Ownership of the folder. Disposal stops answering and leaves the newest socket for the next owner to take over. */
export type Ownership = AsyncDisposable;

/**
 * Owns a folder, or fails. The owner listens on a Unix socket `owner.<n>` in it: the kernel accepts connections even
 * while the owner is paused, and refuses them once it has ended, however it ended. To take over, a socket that already
 * listens is linked in as n+1, which fails when another process was faster. Lower numbers are removed, the highest
 * never is: a process that has linked n+1 and sees no higher number knows that no other process has overtaken it.
 *
 * @param folder the `.orderctl` directory, created when it is missing
 * @param onRequest answers a request; may be called before this resolves
 * @throws Failure folder_in_use naming pid and purpose; write_failed
 */
export async function acquire(
  folder: string,
  self: { purpose: string },
  onRequest: (request: unknown) => Promise<unknown>,
): Promise<Ownership> {
  const hello: Hello = {
    pid: process.pid,
    purpose: self.purpose,
    startedAt: isoTime(Date.now()),
    process: processes.self(),
  };
  try {
    makeOwnDirectory(folder);
    return await withShortPath(folder, async (short) => {
      await checkFree(folder, short);
      const fresh = await listen(short, hello, onRequest);
      try {
        const number = await takeOver(folder, short, fresh.file);
        const described = helloFile(folder, number);
        writeFileSync(described, JSON.stringify(hello), { mode: 0o600 });
        adoptByName(described);
        removeOlder(folder, number);
        return {
          async [Symbol.asyncDispose]() {
            // While the folder is ours: later, the process number may belong to another program.
            rmSync(described, { force: true });
            await fresh.close();
          },
        };
      } catch (error) {
        await fresh.close();
        throw error;
      } finally {
        rmSync(path.dirname(fresh.file), { recursive: true, force: true });
      }
    });
  } catch (error) {
    throw error instanceof Failure ? error : writeFailure(error, folder);
  }
}

/**
 * Asks the owner of a folder.
 *
 * @returns null when no process owns it: then the request was not sent
 * @throws Failure what the owner answers; owner_unreachable when it does not answer in time, saying whether the request
 * may have been run
 */
export async function ask(
  folder: string,
  request: unknown,
  timeoutMs: number,
): Promise<{ answer: unknown } | null> {
  const deadline = performance.now() + timeoutMs;
  return await withShortPath(folder, async (short) => {
    for (;;) {
      const [number] = socketNumbers(folder);
      if (number === undefined) return null;
      const found = await contact(
        path.join(short, socketName(number)),
        Math.max(1, deadline - performance.now()),
      );
      switch (found.kind) {
        case 'open': {
          const answered = await exchange(found, request, deadline);
          if (answered !== null) return answered;
          break;
        }
        case 'silent':
          throw unreachable(folder, readHello(folder, number));
        case 'free':
          if (socketNumbers(folder)[0] === number) return null;
          break;
        case 'gone':
          if (performance.now() >= deadline) throw unreachable(folder, readHello(folder, number));
          await sleep(RETRY_MS);
      }
    }
  });
}

/** @throws Failure folder_in_use when a process has the highest socket for longer than an edit takes */
async function checkFree(folder: string, short: string): Promise<number> {
  const deadline = performance.now() + TAKEOVER_MS;
  for (;;) {
    const [number] = socketNumbers(folder);
    if (number === undefined) return 0;
    const found = await contact(path.join(short, socketName(number)), HELLO_TIMEOUT_MS);
    switch (found.kind) {
      case 'free':
        return number;
      case 'open':
        found.socket.destroy();
        if (found.hello.purpose !== EDIT_PURPOSE || performance.now() >= deadline) {
          throw inUse(folder, found.hello, true);
        }
        await sleep(RETRY_MS);
        break;
      case 'silent':
        throw inUse(folder, readHello(folder, number), false);
      case 'gone':
        if (performance.now() >= deadline) throw inUse(folder, readHello(folder, number), false);
        await sleep(RETRY_MS);
    }
  }
}

async function takeOver(folder: string, short: string, fresh: string): Promise<number> {
  for (;;) {
    const number = (await checkFree(folder, short)) + 1;
    const file = path.join(folder, socketName(number));
    if (!link(fresh, file)) continue;
    // A number that was removed as a lower one can be linked again, but then a higher one exists.
    if (socketNumbers(folder)[0] === number) return number;
    rmSync(file, { force: true });
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

interface Listening {
  /** In a directory of its own, which only this user can enter. */
  readonly file: string;
  close(): Promise<void>;
}

async function listen(
  short: string,
  hello: Hello,
  onRequest: (request: unknown) => Promise<unknown>,
): Promise<Listening> {
  const file = path.join(mkdtempSync(path.join(short, 'owner.new-')), 'socket');
  const sockets = new Set<Socket>();
  const running = new Set<Promise<void>>();
  let closing = false;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    writeLine(socket, hello);
    onLines(socket, (line) => {
      // A request that arrives too late is not run, as its sender knows from the goodbye.
      if (closing) return;
      const answered = answer(socket, line, onRequest).finally(() => running.delete(answered));
      running.add(answered);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(file, resolve);
  });
  chmodSync(file, 0o600);
  adoptSocket(file, short);
  adoptByName(path.dirname(file));
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.all(running);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) {
      writeLine(socket, GOODBYE);
      socket.end();
    }
    // A paused client must not delay the end of the owner.
    const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), GOODBYE_MS);
    await closed;
    clearTimeout(timer);
  };
  return { file, close };
}

async function answer(
  socket: Socket,
  line: unknown,
  onRequest: (request: unknown) => Promise<unknown>,
): Promise<void> {
  const id = isObject(line) ? line.id : null;
  try {
    if (!isObject(line) || !Object.hasOwn(line, 'request')) {
      throw new Failure('invalid_input', 'the socket of the folder received a line that is not a request');
    }
    const answered = await onRequest(line.request);
    writeLine(socket, { id, answer: answered ?? null });
  } catch (error) {
    writeLine(socket, { id, failure: encodeFailure(error) });
  }
}

/** @returns null when the owner sent its goodbye instead: then the request was not run */
async function exchange(
  owner: { hello: Hello; socket: Socket; lines: Lines },
  request: unknown,
  deadline: number,
): Promise<{ answer: unknown } | null> {
  const { hello, socket, lines } = owner;
  const timer = new AbortController();
  const lost = (event: string): Failure => {
    const message = `${describe(hello)} ${event}; it is not known whether it ran the request`;
    return new Failure('owner_unreachable', message, { fix: 'check whether it was done; if not, try again' });
  };
  try {
    if (lines.early.length > 0 || socket.destroyed) return null;
    return await Promise.race([
      sleep(Math.max(1, deadline - performance.now()), undefined, { signal: timer.signal }).then(() => {
        throw lost('did not answer in time');
      }),
      new Promise<{ answer: unknown } | null>((resolve, reject) => {
        socket.on('close', () => reject(lost('ended without an answer')));
        lines.handle = (value) => {
          if (isObject(value) && Object.hasOwn(value, 'answer')) resolve({ answer: value.answer });
          else if (isObject(value) && Object.hasOwn(value, 'failure')) reject(decodeFailure(value.failure));
          else resolve(null);
        };
        writeLine(socket, { id: 1, request });
      }),
    ]);
  } finally {
    timer.abort();
    socket.destroy();
  }
}

function removeOlder(folder: string, number: number): void {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    const older = /^owner\.(\d+)(\.json)?$/.exec(name)?.[1];
    if (older !== undefined && Number(older) < number) rmSync(file, { force: true });
    if (!name.startsWith('owner.new-')) continue;
    const modifiedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - modifiedMs > LEFTOVER_MS) rmSync(file, { recursive: true, force: true });
  }
}
