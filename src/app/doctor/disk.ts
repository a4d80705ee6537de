import { Failure } from '../../domain/failure.ts';
import type { Advice } from '../../domain/advice.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Room } from '../../ports/health.ts';
import { ok, warning, type Finding } from './finding.ts';

/** Less free space than this is low: when the disk is full, nothing can be stored. */
const LOW_BYTES = 1024 ** 3;
/** Less than this counts as full: there may be no room for the next commit and its files. */
const FULL_BYTES = 1024 ** 2;
const ON_MEDIUM = {
  container: 'is in a layer of the container, and is lost when the container is removed',
  memory: 'is in memory, and is lost when the machine restarts',
  remote: 'is on a file system that other machines may share: a second consumer there would not be detected',
} as const;

/** @throws Failure write_failed: a file or folder cannot be written, or the disk is full */
export async function checkDisk(access: StoreAccess): Promise<Finding> {
  const room = await access.room();
  if (room === null) return { state: 'skipped', message: `${access.name} is not on a disk of this machine` };
  const { freeBytes, unwritable } = room;
  if (unwritable !== null) {
    throw new Failure('write_failed', `${unwritable} cannot be written by this user`, {
      fix: { kind: 'writable_folder' },
    });
  }
  const free = `${sizeOf(freeBytes)} free under ${access.name}`;
  const found = remarkOn(access.name, room);
  if (freeBytes >= LOW_BYTES) return found === null ? ok(free) : warning(found.message, found.fix);
  const message = found === null ? free : `${free}; ${found.message}`;
  const makeRoom = 'make room: a full disk stops the consumer';
  const fix: Advice = found === null ? makeRoom : { kind: 'in_turn', steps: [makeRoom, found.fix] };
  if (freeBytes < FULL_BYTES) throw new Failure('write_failed', `the disk is full: ${message}`, { fix });
  return warning(message, fix);
}

/** A problem with the location of the folder, however much room there is. */
function remarkOn(name: string, { medium, owner }: Room): { message: string; fix: Advice } | null {
  if (medium !== 'disk')
    return { message: `${name} ${ON_MEDIUM[medium]}`, fix: { kind: 'lasting_disk', medium } };
  if (owner === null) return null;
  return {
    message: `${name} belongs to user ${owner}, but this is root: that user cannot write files that root creates`,
    fix: { kind: 'as_owner', user: owner },
  };
}

function sizeOf(bytes: number): string {
  return bytes < LOW_BYTES ? `${Math.floor(bytes / 1024 ** 2)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
