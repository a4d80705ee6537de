import path from 'node:path';
import type { FileStat, FileSystem } from '../../src/adapters/files/fs.ts';
import { randomFrom } from './random.ts';

/** The process died here: nothing after this point happened. */
export class Crash extends Error {
  constructor(call: number) {
    super(`crashed before call ${call}`);
  }
}

type Pending = { readonly at: number; readonly bytes: Buffer } | { readonly truncate: number };

interface Inode {
  readonly number: bigint;
  /** For messages: the name under which it was created. */
  readonly name: string;
  modifiedNs: bigint;
  /** It has the mark that another program's read removes. */
  isUnread: boolean;
  /** What a process sees; null for a directory. Never changed in place, so that images can share it. */
  seen: Buffer | null;
  /** What the disk holds for certain. */
  durable: Buffer;
  /** Changes since the last sync, in order. */
  pending: Pending[];
}

const ACCESS = { mode: 0o644, uid: 0, gid: 0 };

/** Names that one call sets and removes together. */
type NameChange = readonly { readonly name: string; readonly inode: Inode | null }[];

export type Fault =
  | { readonly kind: 'crash'; readonly call: number }
  /**
   * That call fails: a failed write leaves a part of its bytes, a failed sync loses any part of the unsynced changes.
   */
  | { readonly kind: 'fail'; readonly call: number; readonly code: 'ENOSPC' | 'EIO' }
  /** That read of bytes fails; reads are counted separately. */
  | { readonly kind: 'fail_read'; readonly call: number };

/** A changing call that is about to be made. */
export interface CallPoint {
  readonly number: number;
  readonly what: string;
  /** The file system as if the process had died here: of a write, any part may have been done. */
  image(): FaultyFs;
}

interface Write {
  readonly inode: Inode;
  readonly at: number;
  readonly bytes: Uint8Array;
}

const SECTOR_BYTES = 512;
const LONGEST_SYNC_TURNS = 60;
const EMPTY = Buffer.alloc(0);
/** Names that exist before the first call; creating a directory requires its parent. */
const ROOT = '/';

/**
 * A file system in memory that knows what would survive. Unsynced writes, names and directories are recorded
 * separately; a fault hits one changing call by its number, starting at 1. After a crash, the next process finds
 * `survived`. With `onCall`, images of the file system can be taken before every call while the process continues.
 */
export class FaultyFs implements FileSystem {
  readonly #random: () => number;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  /** Name changes that are not durable yet, in order, by directory. */
  #pendingNames = new Map<string, NameChange[]>();
  readonly #open = new Map<number, Inode>();
  #nextFd = 3;
  #nextInode = 1n;
  #timeNs = 0n;
  #fault: Fault | undefined;
  #dead: Crash | undefined;
  /** Changing calls so far. */
  calls = 0;
  /** Reads of bytes so far. */
  reads = 0;
  /** The calls so far, for messages. */
  readonly trace: string[] = [];
  /** Called before each call that changes something. */
  onCall: ((point: CallPoint) => void) | undefined;

  constructor(seed: number, fault?: Fault) {
    this.#random = randomFrom(seed);
    this.#fault = fault;
    this.#makeDurableDirectory(ROOT);
  }

  /** Sets the next fault; calls are counted from 1 again. */
  arm(fault: Fault | undefined): void {
    this.#fault = fault;
    this.calls = 0;
    this.reads = 0;
    this.trace.length = 0;
  }

  get openFiles(): number {
    return this.#open.size;
  }

  /**
   * The file system after the crash. `kill`: the process has died, but the kernel has everything. `power`: any part of
   * the unsynced changes may be missing, sector by sector, name by name.
   */
  survived(how: 'kill' | 'power'): FaultyFs {
    // After a kill the disk is as far behind as before: power may still fail later.
    const next = this.#copy().fs;
    if (how === 'power') next.#losePower();
    return next;
  }

  /**
   * Other processes continued: replaces this state by `later`, an image of theirs. Open files stay open, as on a disk.
   */
  goOnAs(later: FaultyFs): void {
    const own = new Map(
      [...this.#names.values(), ...this.#open.values()].map((inode) => [inode.number, inode]),
    );
    this.#names.clear();
    for (const [name, inode] of later.#names) {
      const known = own.get(inode.number);
      this.#names.set(name, known === undefined ? { ...inode } : Object.assign(known, inode));
    }
  }

  #copy(): { fs: FaultyFs; copyOf: (inode: Inode) => Inode } {
    const fs = new FaultyFs(Math.floor(this.#random() * 2 ** 32));
    fs.#nextInode = this.#nextInode;
    fs.#timeNs = this.#timeNs;
    fs.#names.clear();
    fs.#durableNames.clear();
    const copies = new Map<Inode, Inode>();
    const copyOf = (inode: Inode): Inode => {
      let copy = copies.get(inode);
      if (copy === undefined) copies.set(inode, (copy = { ...inode, pending: [...inode.pending] }));
      return copy;
    };
    for (const [name, inode] of this.#names) fs.#names.set(name, copyOf(inode));
    for (const [name, inode] of this.#durableNames) fs.#durableNames.set(name, copyOf(inode));
    for (const [directory, changes] of this.#pendingNames) {
      const copied = changes.map((change) =>
        change.map(({ name, inode }) => ({ name, inode: inode === null ? null : copyOf(inode) })),
      );
      fs.#pendingNames.set(directory, copied);
    }
    return { fs, copyOf };
  }

  #losePower(): void {
    const names = new Map(this.#durableNames);
    // All, nothing or any part: the first two are the most common.
    const mode = this.#random();
    for (const changes of this.#pendingNames.values()) {
      for (const change of changes) {
        if (mode < 0.25 || (mode >= 0.5 && this.#random() < 0.5)) setNames(names, change);
      }
    }
    this.#names.clear();
    for (const [name, inode] of names) if (this.#isReachable(name, names)) this.#names.set(name, inode);
    for (const inode of new Set(this.#names.values())) {
      if (inode.seen === null) continue;
      inode.seen = this.#survivingBytes(inode);
      inode.durable = inode.seen;
      inode.pending = [];
    }
    this.#durableNames = new Map(this.#names);
    this.#pendingNames.clear();
  }

  /** A name is lost together with any directory above it. */
  #isReachable(name: string, names: ReadonlyMap<string, Inode>): boolean {
    for (let up = name; up !== ROOT; up = path.dirname(up)) if (!names.has(up)) return false;
    return true;
  }

  #survivingBytes(inode: Inode): Buffer {
    let bytes: Buffer = inode.durable;
    // As for names.
    const mode = this.#random();
    for (const change of inode.pending) {
      if (mode < 0.3) continue;
      if ('truncate' in change) bytes = resized(bytes, change.truncate);
      else if (mode < 0.6) bytes = written(bytes, change.bytes, change.at);
      else bytes = this.#torn(bytes, change.bytes, change.at);
    }
    return bytes;
  }

  #torn(bytes: Buffer, change: Buffer, at: number): Buffer {
    let result = bytes;
    for (let from = 0; from < change.byteLength;) {
      const sectorEnd = SECTOR_BYTES - ((at + from) % SECTOR_BYTES);
      // Sometimes a byte range smaller than a sector too: a sector is written again with what is appended to it.
      const size = Math.min(
        change.byteLength - from,
        Math.max(1, Math.floor(sectorEnd * this.#random() * 2)),
      );
      if (this.#random() < 0.6) result = written(result, change.subarray(from, from + size), at + from);
      from += size;
    }
    return result;
  }

  /**
   * A user or another program saves a file under a new inode, durably and at once: not counted as a call.
   *
   * @param fresh whether its date says that it is being written right now
   */
  put(name: string, bytes: Buffer, fresh = false): void {
    this.#alive();
    this.#makeDurableDirectory(path.dirname(name));
    const inode = this.#inode(name, bytes);
    inode.durable = bytes;
    if (fresh) inode.modifiedNs = BigInt(this.nowMs()) * 1_000_000n;
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
    this.#forgetPending(name);
  }

  /** The same, but into the inode that `name` has at the moment of the call. */
  putInPlace(name: string): ((bytes: Buffer) => void) | undefined {
    const inode = this.#names.get(name);
    if (inode === undefined) return undefined;
    return (bytes) => {
      this.#alive();
      inode.seen = bytes;
      inode.durable = bytes;
      inode.pending = [];
      inode.modifiedNs = this.#tick();
      this.#durableNames.set(name, inode);
      this.#forgetPending(name);
    };
  }

  remove(name: string): void {
    this.#names.delete(name);
    this.#durableNames.delete(name);
    this.#forgetPending(name);
  }

  #makeDurableDirectory(name: string): void {
    for (let up = name; !this.#names.has(up); up = path.dirname(up)) {
      const inode = this.#inode(up, null);
      this.#names.set(up, inode);
      this.#durableNames.set(up, inode);
    }
  }

  #forgetPending(name: string): void {
    const directory = path.dirname(name);
    const kept = (this.#pendingNames.get(directory) ?? []).map((change) =>
      change.filter((part) => part.name !== name),
    );
    this.#pendingNames.set(directory, kept);
  }

  get(name: string): Buffer | undefined {
    return this.#names.get(name)?.seen ?? undefined;
  }

  /** Of files, sorted. */
  names(): string[] {
    return [...this.#names].flatMap(([name, { seen }]) => (seen === null ? [] : [name])).sort();
  }

  /** One changing call. */
  #call(what: string, name: string, more: number | string = '', write?: Write): void {
    if (this.#dead !== undefined) throw this.#dead;
    this.calls += 1;
    const text = `${what} ${name} ${more}`;
    this.trace.push(text);
    this.onCall?.({ number: this.calls, what: text, image: () => this.#imageAt(write) });
    const fault = this.#fault;
    if (fault?.call !== this.calls || fault.kind === 'fail_read') return;
    if (write !== undefined) this.#writePart(write);
    if (fault.kind === 'crash') throw (this.#dead = new Crash(this.calls));
    throw Object.assign(new Error(`${fault.code}: injected, ${text}`), { code: fault.code });
  }

  #imageAt(write: Write | undefined): FaultyFs {
    const { fs, copyOf } = this.#copy();
    if (write !== undefined) fs.#writePart({ ...write, inode: copyOf(write.inode) });
    return fs;
  }

  #writePart({ inode, at, bytes }: Write): void {
    // Mostly nothing or all: with all of it, only later calls are lost.
    const share = this.#random() * 1.5 - 0.25;
    const size = Math.floor(Math.max(0, Math.min(1, share)) * bytes.byteLength);
    if (size > 0) this.#write({ inode, at, bytes: bytes.subarray(0, size) });
  }

  #write({ inode, at, bytes }: Write): void {
    const copy = Buffer.from(bytes);
    inode.seen = written(inode.seen ?? EMPTY, copy, at);
    inode.pending.push({ at, bytes: copy });
    inode.modifiedNs = this.#tick();
  }

  #alive(): void {
    if (this.#dead !== undefined) throw this.#dead;
  }

  open(name: string, mode: 'read' | 'append' | 'create'): number {
    this.#alive();
    let inode = this.#names.get(name);
    if (inode !== undefined && mode === 'create') throw coded('EEXIST', name);
    if (inode?.seen === null) throw coded('EISDIR', name);
    if (inode === undefined) {
      if (mode === 'read') throw coded('ENOENT', name);
      this.#needDirectory(name);
      this.#call('open', name);
      inode = this.#inode(name, EMPTY);
      this.#change(name, [{ name, inode }]);
    }
    const fd = this.#nextFd++;
    this.#open.set(fd, inode);
    return fd;
  }

  #needDirectory(name: string): void {
    if (!this.#names.has(path.dirname(name))) throw coded('ENOENT', name);
  }

  close(fd: number): void {
    if (!this.#open.delete(fd)) throw coded('EBADF', `descriptor ${fd}`);
  }

  read(fd: number, into: Uint8Array, position: number): number {
    this.#alive();
    const inode = this.#file(fd);
    this.reads += 1;
    if (this.#fault?.kind === 'fail_read' && this.#fault.call === this.reads) {
      throw Object.assign(new Error(`EIO: injected, read ${inode.name}`), { code: 'EIO' });
    }
    const part = (inode.seen ?? EMPTY).subarray(position, position + into.byteLength);
    into.set(part);
    return part.byteLength;
  }

  write(fd: number, bytes: Uint8Array, position: number): void {
    const write = { inode: this.#file(fd), at: position, bytes };
    this.#call('write', write.inode.name, position, write);
    this.#write(write);
  }

  /** The write may be interrupted between its parts: each part is a call of its own. */
  async writeAll(fd: number, parts: readonly Uint8Array[], position: number): Promise<void> {
    let at = position;
    for (const part of parts) {
      if (part.byteLength > 0) this.write(fd, part, at);
      at += part.byteLength;
    }
  }

  truncate(fd: number, sizeBytes: number): void {
    const inode = this.#file(fd);
    this.#call('truncate', inode.name, sizeBytes);
    inode.seen = resized(inode.seen ?? EMPTY, sizeBytes);
    inode.pending.push({ truncate: sizeBytes });
    inode.modifiedNs = this.#tick();
  }

  async datasync(fd: number): Promise<void> {
    await this.#sync(fd, 1);
  }

  /** Sometimes slow: work that does not wait for it may overtake it. */
  async sync(fd: number): Promise<void> {
    await this.#sync(fd, 1 + Math.floor(this.#random() ** 2 * LONGEST_SYNC_TURNS));
  }

  async #sync(fd: number, turns: number): Promise<void> {
    const inode = this.#file(fd);
    const count = inode.pending.length;
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    try {
      this.#call('sync', inode.name);
    } catch (error) {
      // The kernel forgets that the pages were dirty: what it shows differs from the disk.
      if (this.#fault?.kind === 'fail') {
        inode.durable = this.#survivingBytes(inode);
        inode.pending = [];
      }
      throw error;
    }
    for (const change of inode.pending.splice(0, count)) {
      inode.durable =
        'truncate' in change
          ? resized(inode.durable, change.truncate)
          : written(inode.durable, change.bytes, change.at);
    }
  }

  async syncDirectory(name: string): Promise<void> {
    await Promise.resolve();
    this.#alive();
    if (!this.#names.has(name)) throw coded('ENOENT', name);
    this.#call('sync directory', name);
    for (const change of this.#pendingNames.get(name) ?? []) setNames(this.#durableNames, change);
    this.#pendingNames.delete(name);
  }

  stat(name: string): FileStat | undefined {
    this.#alive();
    const inode = this.#names.get(name);
    return inode === undefined ? undefined : toStat(inode);
  }

  statOpen(fd: number): FileStat {
    this.#alive();
    return toStat(this.#file(fd));
  }

  rename(from: string, to: string): void {
    this.#alive();
    if (!this.#names.has(from)) throw coded('ENOENT', from);
    this.#call('rename', from, to);
    // Looked up now: a user may have put another file there at this very moment.
    const inode = this.#names.get(from);
    if (inode === undefined) throw coded('ENOENT', from);
    this.#change(from, [
      { name: from, inode: null },
      { name: to, inode },
    ]);
  }

  link(from: string, to: string): boolean {
    this.#alive();
    const inode = this.#names.get(from);
    if (inode === undefined) throw coded('ENOENT', from);
    if (this.#names.has(to)) return false;
    this.#call('link', from, to);
    // A user may have put a file there at this very moment.
    if (this.#names.has(to)) return false;
    this.#change(to, [{ name: to, inode }]);
    return true;
  }

  unlink(name: string): void {
    this.#alive();
    if (!this.#names.has(name)) return;
    this.#call('unlink', name);
    this.#change(name, [{ name, inode: null }]);
  }

  async discard(name: string): Promise<void> {
    this.unlink(name);
  }

  /** All files belong to one user. */
  setAccess(): void {
    this.#alive();
  }

  makeDirectory(name: string): void {
    this.#alive();
    const missing: string[] = [];
    for (let up = name; !this.#names.has(up); up = path.dirname(up)) missing.unshift(up);
    for (const directory of missing) {
      this.#call('make directory', directory);
      this.#change(directory, [{ name: directory, inode: this.#inode(directory, null) }]);
    }
  }

  list(name: string): string[] {
    this.#alive();
    const prefix = name.endsWith('/') ? name : `${name}/`;
    const found: string[] = [];
    for (const other of this.#names.keys()) {
      if (other.startsWith(prefix) && !other.includes('/', prefix.length))
        found.push(other.slice(prefix.length));
    }
    return found;
  }

  /** Lost at most in a power failure: not counted as a call. */
  markUnread(name: string): void {
    this.#alive();
    const inode = this.#names.get(name);
    if (inode !== undefined) inode.isUnread = true;
  }

  showsReads(): boolean {
    return true;
  }

  /** Another program reads a file. */
  readByOthers(name: string): Buffer | undefined {
    const inode = this.#names.get(name);
    if (inode !== undefined) inode.isUnread = false;
    return inode?.seen ?? undefined;
  }

  /** Long after every write, so that no file looks as if it were being written unless `put` says so. */
  nowMs(): number {
    return 1e9;
  }

  #inode(name: string, seen: Buffer | null): Inode {
    return {
      number: this.#nextInode++,
      name,
      modifiedNs: this.#tick(),
      isUnread: false,
      seen,
      durable: EMPTY,
      pending: [],
    };
  }

  #change(name: string, change: NameChange): void {
    setNames(this.#names, change);
    const directory = path.dirname(name);
    const pending = this.#pendingNames.get(directory);
    if (pending === undefined) this.#pendingNames.set(directory, [change]);
    else pending.push(change);
  }

  #file(fd: number): Inode {
    this.#alive();
    const inode = this.#open.get(fd);
    if (inode === undefined) throw coded('EBADF', `descriptor ${fd}`);
    return inode;
  }

  #tick(): bigint {
    return ++this.#timeNs;
  }
}

function setNames(names: Map<string, Inode>, change: NameChange): void {
  for (const { name, inode } of change) {
    if (inode === null) names.delete(name);
    else names.set(name, inode);
  }
}

function written(bytes: Buffer, change: Buffer, at: number): Buffer {
  const end = at + change.byteLength;
  const result = Buffer.allocUnsafe(Math.max(bytes.byteLength, end));
  bytes.copy(result);
  if (at > bytes.byteLength) result.fill(0, bytes.byteLength, at);
  change.copy(result, at);
  return result;
}

function resized(bytes: Buffer, sizeBytes: number): Buffer {
  const result = Buffer.alloc(sizeBytes);
  bytes.copy(result);
  return result;
}

function toStat(inode: Inode): FileStat {
  const { number, modifiedNs, isUnread } = inode;
  return { sizeBytes: inode.seen?.byteLength ?? 0, modifiedNs, inode: number, access: ACCESS, isUnread };
}

/** Without a stack: most are answers that a caller expects, and there are millions of them. */
function coded(code: string, what: string): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = Object.assign(new Error(`${code}: ${what}`), { code });
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}
