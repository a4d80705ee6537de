import fs from 'node:fs';
import type { Failure } from '../../domain/failure.ts';
import { systemFailure } from '../../domain/system-failure.ts';
import { accessOf, adopt, makeOwnDirectory, ownership, setAccess, type FileAccess } from './access.ts';
import { isUnread, markUnread, openQuietly, showsReads } from './read-marks.ts';

/**
 * The file-system calls of the store, injected so that a test can crash before any of them. Reads and writes are
 * synchronous, because they only reach the page cache; calls that wait for the disk are not.
 */
export interface FileSystem {
  /**
   * `read`: must exist, and be a file. `append`: created when missing, never truncated, positional writes. `create`:
   * must not exist. What root creates belongs to the owner of its folder.
   */
  open(path: string, mode: 'read' | 'append' | 'create'): number;
  close(fd: number): void;
  /** @returns bytes read; fewer than asked for only at the end of the file */
  read(fd: number, into: Uint8Array, position: number): number;
  /** Writes all bytes. */
  write(fd: number, bytes: Uint8Array, position: number): void;
  /** Writes all of `parts`, one after the other. They must not change before this resolves. */
  writeAll(fd: number, parts: readonly Uint8Array[], position: number): Promise<void>;
  truncate(fd: number, sizeBytes: number): void;
  datasync(fd: number): Promise<void>;
  sync(fd: number): Promise<void>;
  /** Makes a created, renamed or unlinked name durable. */
  syncDirectory(path: string): Promise<void>;
  stat(path: string): FileStat | undefined;
  statOpen(fd: number): FileStat;
  rename(from: string, to: string): void;
  /** @returns false when `to` exists */
  link(from: string, to: string): boolean;
  /** Has no effect when the file does not exist. */
  unlink(path: string): void;
  /** Like unlink, for large files, whose blocks take milliseconds to free. */
  discard(path: string): Promise<void>;
  /** Gives an open file this mode, owner and group, as far as the user is allowed to. */
  setAccess(fd: number, access: FileAccess): void;
  makeDirectory(path: string): void;
  /**
   * Marks a file so that `isUnread` of its stat is true until another program reads it. Does nothing where that is
   * not possible.
   */
  markUnread(path: string): void;
  /** Whether a read clears such a mark, as it does where access times are kept. @param directory to try it in */
  showsReads(directory: string): boolean;
  /** Names in a directory; empty when it does not exist. */
  list(path: string): string[];
  /** The clock that dates files, milliseconds since the epoch. */
  nowMs(): number;
}

export interface FileStat {
  readonly sizeBytes: number;
  readonly modifiedNs: bigint;
  readonly inode: bigint;
  readonly access: FileAccess;
  /** It still has the mark set by `markUnread`: no other program has read it. */
  readonly isUnread: boolean;
}

/** From this size on, copying the bytes takes longer than having another thread write them. */
const LARGE_BYTES = 64 * 1024;
/** IOV_MAX of Linux and macOS: a call with more parts is refused. */
const MOST_PARTS = 1024;

const datasync = (fd: number): Promise<void> => done((back) => fs.fdatasync(fd, back));
const sync = (fd: number): Promise<void> => done((back) => fs.fsync(fd, back));

const CREATE = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL;

/**
 * The operating system's file system. Errors of reading are Failures; errors of writing are Node's, and `writeFailure`
 * adds what they were about. ENOENT and EEXIST stay Node's as well: the caller knows what they mean.
 */
export const realFileSystem: FileSystem = {
  open(name, mode) {
    if (mode === 'read') return reading(name, () => openToRead(name));
    if (mode === 'append') {
      try {
        return fs.openSync(name, fs.constants.O_RDWR);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
    // Node applies the user's umask to 0o666, so that modes are never wider than the user's.
    const fd = fs.openSync(name, CREATE, 0o666);
    adopt(fd, name);
    return fd;
  },
  close: (fd) => fs.closeSync(fd),
  read(fd, into, position) {
    let done = 0;
    while (done < into.byteLength) {
      const count = fs.readSync(fd, into, done, into.byteLength - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  },
  write(fd, bytes, position) {
    let done = 0;
    while (done < bytes.byteLength) {
      done += fs.writeSync(fd, bytes, done, bytes.byteLength - done, position + done);
    }
  },
  async writeAll(fd, parts, position) {
    if (parts.length > MOST_PARTS) {
      const first = parts.slice(0, MOST_PARTS);
      await this.writeAll(fd, first, position);
      return this.writeAll(fd, parts.slice(MOST_PARTS), position + totalBytes(first));
    }
    const sizeBytes = totalBytes(parts);
    const isLarge = sizeBytes > LARGE_BYTES;
    let written = 0;
    if (isLarge) {
      await done((back) => {
        fs.writev(fd, parts, position, (error, count) => {
          written = count;
          back(error);
        });
      });
    } else {
      written = fs.writevSync(fd, parts, position);
    }
    let at = position;
    for (const part of written === sizeBytes ? [] : parts) {
      const whole = Math.min(written, part.byteLength);
      written -= whole;
      if (whole < part.byteLength) this.write(fd, part.subarray(whole), at + whole);
      at += part.byteLength;
    }
  },
  truncate: (fd, sizeBytes) => fs.ftruncateSync(fd, sizeBytes),
  datasync,
  sync,
  async syncDirectory(name) {
    const fd = fs.openSync(name, fs.constants.O_RDONLY);
    try {
      await sync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  stat(name) {
    const found = reading(name, () => fs.statSync(name, { bigint: true, throwIfNoEntry: false }));
    return found === undefined ? undefined : toStat(found);
  },
  statOpen: (fd) => toStat(fs.fstatSync(fd, { bigint: true })),
  rename: (from, to) => fs.renameSync(from, to),
  link(from, to) {
    try {
      fs.linkSync(from, to);
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    }
  },
  unlink(name) {
    try {
      fs.unlinkSync(name);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  },
  async discard(name) {
    try {
      await done((back) => fs.unlink(name, back));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  },
  setAccess,
  markUnread,
  showsReads,
  makeDirectory: makeOwnDirectory,
  list(name) {
    try {
      return reading(name, () => fs.readdirSync(name));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  },
  nowMs: () => Date.now(),
};

/** Anything but a file is refused at once: opening a pipe would wait for a writer. */
function openToRead(name: string): number {
  const fd = openQuietly(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const stat = fs.fstatSync(fd);
  if (stat.isFile()) return fd;
  fs.closeSync(fd);
  const message = 'it is not a file';
  throw Object.assign(new Error(message), { code: stat.isDirectory() ? 'EISDIR' : 'ENXIO', syscall: 'read' });
}

function reading<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw error;
    throw readFailure(error, name);
  }
}

export function totalBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

/** Like util.promisify, without loading node:util, which would slow down every command. */
function done(call: (back: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

function toStat(stat: fs.BigIntStats): FileStat {
  return {
    sizeBytes: Number(stat.size),
    modifiedNs: stat.mtimeNs,
    inode: stat.ino,
    access: accessOf(stat),
    isUnread: isUnread(stat),
  };
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** @returns the failure of an operating-system write, with the file and the fix */
export function writeFailure(error: unknown, file: string): Failure {
  const then = 'start again: no decision is lost';
  return systemFailure(error, { file, doing: 'write', then, ...ownership(file) });
}

function readFailure(error: unknown, file: string): Failure {
  return systemFailure(error, { file, doing: 'read', ...ownership(file) });
}

/** The same calls, reporting how long each `datasync` took, in seconds. */
export function timingSyncs(files: FileSystem, onSynced: (seconds: number) => void): FileSystem {
  const timed = Object.create(files) as FileSystem;
  timed.datasync = async (fd) => {
    const from = performance.now();
    await files.datasync(fd);
    onSynced((performance.now() - from) / 1000);
  };
  return timed;
}
