import path from 'node:path';
import type { FileStat, FileSystem } from '../../src/adapters/files/fs.ts';

/** The process died here: nothing after it happened. */
export class Crash extends Error {
  constructor(call: number) {
    super(`crashed before call ${call}`);
  }
}

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Pending = { readonly at: number; readonly bytes: Buffer } | { readonly truncate: number };

interface Inode {
  readonly number: bigint;
  modifiedNs: bigint;
  /** What a process sees. */
  seen: Buffer;
  /** What the disk holds for sure. */
  durable: Buffer;
  /** Since the last sync, in order. */
  pending: Pending[];
}

/** Names that one call sets and removes together. */
type NameChange = readonly { readonly name: string; readonly inode: Inode | null }[];

export type Fault =
  | { readonly kind: 'crash'; readonly call: number }
  /** That call fails; a failed write leaves a part of it, a failed sync loses what was not synced. */
  | { readonly kind: 'fail'; readonly call: number; readonly code: 'ENOSPC' | 'EIO' };

const SECTOR_BYTES = 512;

/**
 * A file system in memory that knows what would survive. Writes and names that were not synced are kept apart; a
 * fault hits one changing call by its number, from 1 on. After a crash `survived` is what the next process finds.
 */
export class FaultyFs implements FileSystem {
  readonly #random: () => number;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  /** Not yet durable, in order, by directory. */
  #pendingNames = new Map<string, NameChange[]>();
  readonly #open = new Map<number, Inode>();
  #nextFd = 3;
  #nextInode = 1n;
  #timeNs = 0n;
  #fault: Fault | undefined;
  #dead: Crash | undefined;
  /** Changing calls so far. */
  calls = 0;
  /** What was called, for messages. */
  readonly trace: string[] = [];

  constructor(seed: number, fault?: Fault) {
    this.#random = random(seed);
    this.#fault = fault;
  }

  /** Sets the fault to come; calls are counted from 1 again. */
  arm(fault: Fault | undefined): void {
    this.#fault = fault;
    this.calls = 0;
    this.trace.length = 0;
  }

  get openFiles(): number {
    return this.#open.size;
  }

  /**
   * What is found after the crash. `kill`: the process is gone, the kernel has it all. `power`: of what was not
   * synced any part may be missing, sector by sector, name by name.
   */
  survived(how: 'kill' | 'power'): FaultyFs {
    const next = new FaultyFs(Math.floor(this.#random() * 2 ** 32));
    next.#nextInode = this.#nextInode;
    next.#timeNs = this.#timeNs;
    const names = how === 'kill' ? this.#names : this.#survivingNames();
    const copies = new Map<Inode, Inode>();
    for (const [name, inode] of names) {
      let copy = copies.get(inode);
      if (copy === undefined) {
        const bytes = how === 'kill' ? Buffer.from(inode.seen) : this.#survivingBytes(inode);
        // After a kill the disk is as far behind as before: power may still fail later.
        const pending = how === 'kill' ? [...inode.pending] : [];
        const durable = how === 'kill' ? inode.durable : bytes;
        copy = { number: inode.number, modifiedNs: inode.modifiedNs, seen: bytes, durable, pending };
        copies.set(inode, copy);
      }
      next.#names.set(name, copy);
    }
    if (how === 'power') {
      next.#durableNames = new Map(next.#names);
      return next;
    }
    const copyOf = (inode: Inode): Inode => {
      const copy = copies.get(inode) ?? { ...inode, pending: [...inode.pending] };
      copies.set(inode, copy);
      return copy;
    };
    for (const [name, inode] of this.#durableNames) next.#durableNames.set(name, copyOf(inode));
    for (const [directory, changes] of this.#pendingNames) {
      const copied = changes.map((change) =>
        change.map(({ name, inode }) => ({ name, inode: inode === null ? null : copyOf(inode) })),
      );
      next.#pendingNames.set(directory, copied);
    }
    return next;
  }

  #survivingNames(): Map<string, Inode> {
    const names = new Map(this.#durableNames);
    for (const changes of this.#pendingNames.values()) {
      for (const change of changes) if (this.#random() < 0.5) setNames(names, change);
    }
    return names;
  }

  #survivingBytes(inode: Inode): Buffer {
    let bytes: Buffer = inode.durable;
    // All, nothing or any part: the first two are what happens most.
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
      // Sometimes a byte range smaller than a sector too: what is appended to one is written with it again.
      const size = Math.min(
        change.byteLength - from,
        Math.max(1, Math.floor(sectorEnd * this.#random() * 2)),
      );
      if (this.#random() < 0.6) result = written(result, change.subarray(from, from + size), at + from);
      from += size;
    }
    return result;
  }

  /** A person or another program saves a file, durably and at once: not counted as a call. */
  put(name: string, bytes: Buffer): void {
    this.#alive();
    const inode = this.#inode();
    inode.seen = bytes;
    inode.durable = bytes;
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
    this.#forgetPending(name);
  }

  remove(name: string): void {
    this.#names.delete(name);
    this.#durableNames.delete(name);
    this.#forgetPending(name);
  }

  #forgetPending(name: string): void {
    const directory = path.dirname(name);
    const kept = (this.#pendingNames.get(directory) ?? []).map((change) =>
      change.filter((part) => part.name !== name),
    );
    this.#pendingNames.set(directory, kept);
  }

  get(name: string): Buffer | undefined {
    return this.#names.get(name)?.seen;
  }

  names(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** One changing call. @returns what it does when the call itself is to fail */
  #call(what: string, partly?: (share: number) => void): void {
    if (this.#dead !== undefined) throw this.#dead;
    this.calls += 1;
    this.trace.push(what);
    const fault = this.#fault;
    if (fault?.call !== this.calls) return;
    // Of a write, a part may have been done.
    partly?.(this.#random());
    if (fault.kind === 'crash') throw (this.#dead = new Crash(this.calls));
    throw Object.assign(new Error(`${fault.code}: injected, ${what}`), { code: fault.code });
  }

  #alive(): void {
    if (this.#dead !== undefined) throw this.#dead;
  }

  open(name: string, mode: 'read' | 'append' | 'create'): number {
    this.#alive();
    let inode = this.#names.get(name);
    if (inode !== undefined && mode === 'create') throw coded('EEXIST', name);
    if (inode === undefined) {
      if (mode === 'read') throw coded('ENOENT', name);
      this.#call(`open ${name}`);
      inode = this.#inode();
      this.#change(name, [{ name, inode }]);
    }
    const fd = this.#nextFd++;
    this.#open.set(fd, inode);
    return fd;
  }

  close(fd: number): void {
    if (!this.#open.delete(fd)) throw coded('EBADF', `descriptor ${fd}`);
  }

  read(fd: number, into: Uint8Array, position: number): number {
    this.#alive();
    const part = this.#file(fd).seen.subarray(position, position + into.byteLength);
    into.set(part);
    return part.byteLength;
  }

  write(fd: number, bytes: Uint8Array, position: number): void {
    const inode = this.#file(fd);
    const apply = (size: number): void => {
      if (size === 0) return;
      const copy = Buffer.from(bytes.subarray(0, size));
      inode.seen = written(inode.seen, copy, position);
      inode.pending.push({ at: position, bytes: copy });
      inode.modifiedNs = this.#tick();
    };
    this.#call(`write ${this.#nameOf(inode)} at ${position}, ${bytes.byteLength}`, (share) =>
      apply(Math.floor(share * bytes.byteLength)),
    );
    apply(bytes.byteLength);
  }

  truncate(fd: number, sizeBytes: number): void {
    const inode = this.#file(fd);
    this.#call(`truncate ${this.#nameOf(inode)} to ${sizeBytes}`);
    inode.seen = resized(inode.seen, sizeBytes);
    inode.pending.push({ truncate: sizeBytes });
    inode.modifiedNs = this.#tick();
  }

  async datasync(fd: number): Promise<void> {
    await this.sync(fd);
  }

  async sync(fd: number): Promise<void> {
    const inode = this.#file(fd);
    const count = inode.pending.length;
    await Promise.resolve();
    this.#call(`sync ${this.#nameOf(inode)}`, () => {
      // The kernel forgets that the pages were dirty: what it shows is not what is on the disk.
      if (this.#fault?.kind === 'fail') inode.pending = [];
    });
    for (const change of inode.pending.splice(0, count)) {
      inode.durable =
        'truncate' in change
          ? resized(inode.durable, change.truncate)
          : written(inode.durable, change.bytes, change.at);
    }
  }

  async syncDirectory(name: string): Promise<void> {
    await Promise.resolve();
    this.#call(`sync directory ${name}`);
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
    const inode = this.#names.get(from);
    if (inode === undefined) throw coded('ENOENT', from);
    this.#call(`rename ${from} to ${to}`);
    this.#change(from, [
      { name: from, inode: null },
      { name: to, inode },
    ]);
  }

  link(from: string, to: string): boolean {
    const inode = this.#names.get(from);
    if (inode === undefined) throw coded('ENOENT', from);
    if (this.#names.has(to)) return false;
    this.#call(`link ${from} to ${to}`);
    this.#change(to, [{ name: to, inode }]);
    return true;
  }

  unlink(name: string): void {
    if (!this.#names.has(name)) return;
    this.#call(`unlink ${name}`);
    this.#change(name, [{ name, inode: null }]);
  }

  makeDirectory(): void {
    // Directories are there as soon as a name is in them; that their own names are synced is not modelled.
    this.#alive();
  }

  list(name: string): string[] {
    this.#alive();
    return [...this.#names.keys()]
      .filter((other) => path.dirname(other) === name)
      .map((other) => path.basename(other));
  }

  /** Long after every write, so that no file looks as if it were being written. */
  nowMs(): number {
    return 1e9;
  }

  #inode(): Inode {
    const empty = Buffer.alloc(0);
    return { number: this.#nextInode++, modifiedNs: this.#tick(), seen: empty, durable: empty, pending: [] };
  }

  #change(name: string, change: NameChange): void {
    setNames(this.#names, change);
    const directory = path.dirname(name);
    const pending = this.#pendingNames.get(directory) ?? [];
    pending.push(change);
    this.#pendingNames.set(directory, pending);
  }

  #file(fd: number): Inode {
    this.#alive();
    const inode = this.#open.get(fd);
    if (inode === undefined) throw coded('EBADF', `descriptor ${fd}`);
    return inode;
  }

  #nameOf(inode: Inode): string {
    for (const [name, other] of this.#names) if (other === inode) return name;
    return '(unlinked)';
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
  const result = resized(bytes, Math.max(bytes.byteLength, at + change.byteLength));
  change.copy(result, at);
  return result;
}

function resized(bytes: Buffer, sizeBytes: number): Buffer {
  const result = Buffer.alloc(sizeBytes);
  bytes.copy(result);
  return result;
}

function toStat(inode: Inode): FileStat {
  return { sizeBytes: inode.seen.byteLength, modifiedNs: inode.modifiedNs, inode: inode.number };
}

function coded(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
