import fs from 'node:fs';
import path from 'node:path';
import { makeDirectory } from '../../directories.ts';

/*
 * Owners and modes of files. What root creates in another user's folder is given to that user, whom a single command
 * run as root would otherwise lock out. That user may swap names while root works, so ownership is changed by
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

/**
 * Gives a file that root has just created to the owner and group of its folder, with a mode no wider than the folder's.
 */
export function adopt(fd: number, name: string): void {
  const folder = ownerForRoot(path.dirname(name));
  if (folder === null) return;
  const { mode } = fs.fstatSync(fd);
  // Change the mode after the owner, so that no one gains access in between.
  fs.fchownSync(fd, folder.uid, folder.gid);
  fs.fchmodSync(fd, mode & folder.mode & PERMISSIONS);
}

/** Does the same for a file or directory that is not open. */
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
 * Does the same for a socket, which cannot be opened.
 *
 * @param name in a directory that only root can enter so far
 * @param folder the socket gets its owner and group
 */
export function adoptSocket(name: string, folder: string): void {
  const owner = ownerForRoot(folder);
  if (owner !== null) fs.lchownSync(name, owner.uid, owner.gid);
}

/** Creates a directory and its missing parents, each given to the owner of the directory above it. */
export function makeOwnDirectory(name: string): void {
  makeDirectory(name, adoptByName);
}

/** @returns null when this process is not root, or the folder is root's own */
function ownerForRoot(folder: string): FileAccess | null {
  if (process.geteuid?.() !== 0) return null;
  const { uid, gid, mode } = fs.statSync(folder);
  return uid === 0 ? null : { uid, gid, mode };
}

/** Gives an open file this access, as far as the user is allowed to. */
export function setAccess(fd: number, { mode, uid, gid }: FileAccess): void {
  const found = fs.fstatSync(fd);
  let isGroupKept = found.gid === gid;
  if (found.uid !== uid || !isGroupKept) {
    isGroupKept = tryChown(fd, uid, gid) || tryChown(fd, found.uid, gid);
  }
  // A different group gets no more than everyone has.
  const kept = isGroupKept ? mode : (mode & ~0o070) | ((mode & 0o007) << 3);
  fs.fchmodSync(fd, kept);
}

function tryChown(fd: number, uid: number, gid: number): boolean {
  try {
    fs.fchownSync(fd, uid, gid);
    return true;
  } catch {
    // Only root can give files away; others can choose only among their own groups.
    return false;
  }
}

/** Who owns the nearest existing part of a path that could not be accessed, and how to gain access. */
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

/** The owner of the folder can take back what another user left in it; anyone else must ask the owner, or root. */
function wayIn(name: string, at: string, uid: number): string {
  const inner = path.dirname(name);
  const isFolder = name === at && path.basename(name) !== '.orderctl' && fs.statSync(at).isDirectory();
  const folder = isFolder ? name : path.basename(inner) === '.orderctl' ? path.dirname(inner) : inner;
  const own = process.geteuid?.();
  if (uid === own) return `change its mode: chmod u+rwX ${at}`;
  const take = `sudo chown -R "$(id -un)" ${folder}`;
  const isOurs = fs.statSync(folder, { throwIfNoEntry: false })?.uid === own;
  if (isOurs) return `take it back: ${take}`;
  // With a folder of their own, users need not run the command as root.
  return uid === 0
    ? `have its mode changed, or take over the folder: ${take}`
    : `run this as ${userOf(uid)}, or ask that user to change its mode`;
}

function userOf(uid: number): string {
  return uid === 0 ? 'root' : `uid ${uid}`;
}
