import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { makeDirectory } from '../directories.ts';

const LOCK_NAME = /^lock-(\d+)$/;
/** Every system accepts this length of a Unix socket's path. */
const MAX_SOCKET_PATH = 100;

/** Another process uses this folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/**
 * One process at a time: it listens on a Unix socket in the folder, which the kernel closes with the process, so a kill
 * leaves no stale lock. Sockets are numbered; a fresh one is linked as n+1 only when n refuses connections, and a
 * process that then sees a higher number gives up. No process unlinks the highest of another.
 *
 * @throws FolderInUseError
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  makeDirectory(folder);
  const inUse = () =>
    new FolderInUseError(`${folder} is in use by another broker: stop that one, or give another folder`);
  const own = `lock-new-${randomUUID().slice(0, 8)}`;
  const server = await listen(folder, own);
  try {
    const last = highest(folder);
    if (last > 0 && (await answers(folder, `lock-${last}`))) throw inUse();
    const mine = last + 1;
    fs.linkSync(path.join(folder, own), path.join(folder, `lock-${mine}`));
    fs.unlinkSync(path.join(folder, own));
    if (highest(folder) > mine) throw inUse();
    for (const name of fs.readdirSync(folder)) {
      if (Number(LOCK_NAME.exec(name)?.[1] ?? mine) < mine)
        fs.rmSync(path.join(folder, name), { force: true });
    }
    return {
      async release() {
        fs.rmSync(path.join(folder, `lock-${mine}`), { force: true });
        await close(server);
      },
    };
  } catch (error) {
    fs.rmSync(path.join(folder, own), { force: true });
    await close(server);
    throw error instanceof Error && 'code' in error && error.code === 'EEXIST' ? inUse() : error;
  }
}

function highest(folder: string): number {
  return fs
    .readdirSync(folder)
    .reduce((max, name) => Math.max(max, Number(LOCK_NAME.exec(name)?.[1] ?? 0)), 0);
}

async function listen(folder: string, name: string): Promise<net.Server> {
  const server = net.createServer((socket) => socket.destroy());
  await withShortPath(folder, name, (file) => {
    return new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(file, resolve);
    });
  });
  server.unref();
  return server;
}

async function answers(folder: string, name: string): Promise<boolean> {
  return withShortPath(folder, name, (file) => {
    return new Promise<boolean>((resolve) => {
      const socket = net.connect(file);
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
    });
  });
}

/** The path of a socket must be short: a deep folder is reached through a symbolic link. */
async function withShortPath<T>(folder: string, name: string, use: (file: string) => Promise<T>): Promise<T> {
  const file = path.join(folder, name);
  if (Buffer.byteLength(file) <= MAX_SOCKET_PATH) return use(file);
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'broker-'));
  const link = path.join(temporary, 'd');
  fs.symlinkSync(path.resolve(folder), link);
  try {
    return await use(path.join(link, name));
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

function close(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
