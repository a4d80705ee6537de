import fs from 'node:fs';
import path from 'node:path';
import { makeDirectory } from '../../directories.ts';

/*
 * Owners and modes of files. What root makes in another user's folder is given to that user, whom a single command
 * run as root would lock out otherwise. That user may swap names while root works, so ownership is given by
 * descriptor, never by a name that may have become a link.
 */

export interface FileAccess {
  /** Permission bits: 0o777 at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const PERMISSIONS = 0o777;

export function accessOf(stat: { mode: bigint; uid: bigint; gid: bigint }): FileAccess {
  return { mode: Number(stat.mode) & PERMISSIONS, uid: Number(stat.uid), gid: Number(stat.gid) };
}

/** Gives a file that root has just made to the owner and group of its folder, with no wider mode than the folder's. */
export function adopt(fd: number, name: string): void {
  const folder = ownerForRoot(path.dirname(name));
  if (folder === null) return;
  const { mode } = fs.fstatSync(fd);
  // The mode after the owner, so that no one gains access in between.
  fs.fchownSync(fd, folder.uid, folder.gid);
  fs.fchmodSync(fd, mode & folder.mode & PERMISSIONS);
}

/** The same for a file or directory that is not open. */
export function adoptByName(name: string): void {
  if (ownerForRoot(path.dirname(name)) === null) return;
  const fd = fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  try {
    adopt(fd, name);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * The same for a socket, which cannot be opened.
 *
 * @param name in a directory that only root can enter so far
 * @param folder whose owner and group it gets
 */
export function adoptSocket(name: string, folder: string): void {
  const owner = ownerForRoot(folder);
  if (owner !== null) fs.lchownSync(name, owner.uid, owner.gid);
}

/** Makes a directory and those above it that are missing; the same for each. */
export function makeOwnDirectory(name: string): void {
  makeDirectory(name, adoptByName);
}

/** null: this is not root, or root's own folder. */
function ownerForRoot(folder: string): FileAccess | null {
  if (process.geteuid?.() !== 0) return null;
  const { uid, gid, mode } = fs.statSync(folder);
  return uid === 0 ? null : { uid, gid, mode };
}

/** Gives an open file the access of another, as far as this user may. */
export function setAccess(fd: number, { mode, uid, gid }: FileAccess): void {
  const found = fs.fstatSync(fd);
  let isGroupKept = found.gid === gid;
  if (found.uid !== uid || !isGroupKept) {
    isGroupKept = tryChown(fd, uid, gid) || tryChown(fd, found.uid, gid);
  }
  // Another group gets no more than everyone has.
  const kept = isGroupKept ? mode : (mode & ~0o070) | ((mode & 0o007) << 3);
  fs.fchmodSync(fd, kept);
}

function tryChown(fd: number, uid: number, gid: number): boolean {
  try {
    fs.fchownSync(fd, uid, gid);
    return true;
  } catch {
    // Only root gives files away, and others choose among their own groups.
    return false;
  }
}

/** Who owns the nearest existing part of a path that was refused, and how to gain access. */
export function ownership(name: string): { owner: string; fix: string } | null {
  for (let at = name; ; at = path.dirname(at)) {
    try {
      const { uid, mode } = fs.statSync(at);
      const bits = (mode & PERMISSIONS).toString(8).padStart(3, '0');
      const owner = `${at === name ? 'it' : at} belongs to ${userOf(uid)}, mode ${bits}`;
      return { owner, fix: wayIn(name, at, uid) };
    } catch {
      if (at === path.dirname(at)) return null;
    }
  }
}

/** The owner of the folder can take back what another user left in it; anyone else has to ask the owner, or root. */
function wayIn(name: string, at: string, uid: number): string {
  const inner = path.dirname(name);
  const isFolder = name === at && path.basename(name) !== '.orderctl' && fs.statSync(at).isDirectory();
  const folder = isFolder ? name : path.basename(inner) === '.orderctl' ? path.dirname(inner) : inner;
  const own = process.geteuid?.();
  if (uid === own) return `change its mode: chmod u+rwX ${at}`;
  const take = `sudo chown -R "$(id -un)" ${folder}`;
  const isOurs = fs.statSync(folder, { throwIfNoEntry: false })?.uid === own;
  if (isOurs) return `have it given back to you: ${take}`;
  // The command is then run as the user again, not as root.
  return uid === 0
    ? `have its mode changed, or the folder given to you: ${take}`
    : `run this as ${userOf(uid)}, or have its mode changed`;
}

function userOf(uid: number): string {
  return uid === 0 ? 'root' : `uid ${uid}`;
}
