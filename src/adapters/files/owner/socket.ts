import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../../../domain/failure.ts';
import { systemFailure } from '../../../domain/system-failure.ts';
import { ownership } from '../access.ts';
import { errorCode, realFileSystem } from '../fs.ts';
import { onLines, parseJson, toHello, type Hello } from './wire.ts';

/** `sun_path` has 104 bytes on macOS, 108 on Linux, including its final zero; longer paths are cut silently. */
const MAX_SOCKET_PATH_BYTES = 103;
const SOCKET_NAME = /^owner\.(\d{1,15})$/;
/** Room for the longest name below the folder: `/owner.new-123456/socket`, or a number. */
const LONGEST_NAME_BYTES = 32;

export function socketName(number: number): string {
  return `owner.${number}`;
}

/** @returns the numbers of all sockets in the folder, highest first; empty when the folder does not exist */
export function socketNumbers(folder: string): number[] {
  const names = realFileSystem.list(folder);
  const numbers = names.flatMap((name) => {
    const number = SOCKET_NAME.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  return numbers.sort((a, b) => b - a);
}

/** What the owner with that number wrote next to its socket, for messages about an owner that does not answer. */
export function readHello(folder: string, number: number): Hello | null {
  try {
    return toHello(parseJson(readFileSync(helloFile(folder, number), 'utf8')));
  } catch {
    return null;
  }
}

export function helloFile(folder: string, number: number): string {
  return path.join(folder, `${socketName(number)}.json`);
}

/** Calls `use` with a path to `folder` that is short enough for sockets in it: a temporary link if necessary. */
export async function withShortPath<T>(folder: string, use: (short: string) => Promise<T>): Promise<T> {
  const absolute = path.resolve(folder);
  if (Buffer.byteLength(absolute) + LONGEST_NAME_BYTES <= MAX_SOCKET_PATH_BYTES) return await use(absolute);
  const directory = temporaryDirectory();
  try {
    const link = path.join(directory, 'f');
    symlinkSync(absolute, link);
    return await use(link);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** TMPDIR may be unusable. @throws Failure write_failed when no directory can be used */
function temporaryDirectory(): string {
  const wanted = os.tmpdir();
  for (const parent of [wanted, '/tmp', '/var/tmp']) {
    try {
      return mkdtempSync(path.join(parent, 'orderctl-'));
    } catch (error) {
      if (parent === '/var/tmp') throw systemFailure(error);
    }
  }
  return wanted;
}

export type Contact =
  /** No process listens: the owner has ended. */
  | { readonly kind: 'free' }
  /** The name no longer exists, or the owner ended during the exchange: try again. */
  | { readonly kind: 'gone' }
  /** A process listens but does not answer: it is paused, or busy for long. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'open'; readonly hello: Hello; readonly socket: Socket; readonly lines: Lines };

/** Receives the lines after the hello; `early` has those that arrive before there is a handler. */
export interface Lines {
  readonly early: unknown[];
  handle: (value: unknown) => void;
}

/** Connects to the owner that listens at `file`, and waits for its hello. The caller must destroy the open socket. */
export async function contact(file: string, timeoutMs: number): Promise<Contact> {
  const early: unknown[] = [];
  const lines: Lines = { early, handle: (value) => void early.push(value) };
  const socket = net.connect(file);
  const timer = new AbortController();
  try {
    const found = await Promise.race([
      sleep(timeoutMs, { kind: 'silent' } as const, { signal: timer.signal }),
      new Promise<Contact>((resolve, reject) => {
        socket.on('error', (error) => {
          const code = errorCode(error) ?? '';
          if (['ECONNREFUSED', 'ENOTSOCK'].includes(code)) resolve({ kind: 'free' });
          else if (['ENOENT', 'ECONNRESET', 'EPIPE'].includes(code)) resolve({ kind: 'gone' });
          // Linux returns EAGAIN when the connection queue of a paused owner is full.
          else if (code === 'EAGAIN') resolve({ kind: 'silent' });
          else if (code === 'EACCES' || code === 'EPERM') reject(closed(error, file));
          else reject(error);
        });
        socket.on('close', () => resolve({ kind: 'gone' }));
        let greeted = false;
        onLines(socket, (value) => {
          if (greeted) {
            lines.handle(value);
            return;
          }
          greeted = true;
          const hello = toHello(value);
          resolve(hello === null ? { kind: 'silent' } : { kind: 'open', hello, socket, lines });
        });
      }),
    ]);
    if (found.kind !== 'open') socket.destroy();
    return found;
  } finally {
    timer.abort();
  }
}

/** The socket of an owner that ran as another user; whether it still runs cannot be seen from here. */
function closed(error: Error, file: string): Failure {
  const name = path.join(realpathSync(path.dirname(file)), path.basename(file));
  return systemFailure(error, { file: name, doing: 'read', ...ownership(name) });
}
