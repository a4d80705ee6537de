import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Medium, Room } from '../../ports/health.ts';

/** Magic numbers of file systems on Linux, from statfs(2) and linux/magic.h. */
const MEDIA = new Map<number, Medium>([
  [0x794c7630, 'container'], // overlayfs
  [0x01021994, 'memory'], // tmpfs
  [0x6969, 'remote'], // NFS
  [0xff534d42, 'remote'], // CIFS
  [0xfe534d42, 'remote'], // SMB2
  [0x01021997, 'remote'], // 9p: WSL and virtual machines
  [0x65735546, 'remote'], // FUSE: virtiofs, and folders of the host in a container on a Mac
]);

/** The room in the folder, or in its nearest existing parent if the folder is yet to be created. */
export function roomOf(folder: string, canWrite: (file: string) => boolean = isWritable): Room {
  let nearest = folder;
  while (!existsSync(nearest)) nearest = path.dirname(nearest);
  const { bavail, bsize, type } = statfsSync(nearest);
  const owner = statSync(nearest).uid;
  return {
    freeBytes: bavail * bsize,
    unwritable: [nearest, ...filesOf(folder)].find((file) => !canWrite(file)) ?? null,
    medium: mediumOf(type),
    owner: process.getuid?.() === 0 && owner !== 0 ? owner : null,
  };
}

/** Linux only: other systems number their file systems differently. */
export function mediumOf(type: number, platform: NodeJS.Platform = process.platform): Medium {
  return (platform === 'linux' ? MEDIA.get(type) : undefined) ?? 'disk';
}

/** What a consumer opens for writing: the inner folder, its files, and the logs. The tables are replaced instead. */
function filesOf(folder: string): string[] {
  const inner = path.join(folder, '.orderctl');
  const logs = ['orders.jsonl', 'rejections.jsonl'].map((name) => path.join(folder, name));
  return [inner, ...logs, ...entriesOf(inner)].filter((file) => existsSync(file));
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => path.join(folder, name));
  } catch {
    // It does not exist or may not be read; opening it reports that.
    return [];
  }
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
