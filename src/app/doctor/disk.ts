import { Failure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { ok, warning, type Finding } from './finding.ts';

/** Less than this is soon full, and then nothing can be stored. */
const LOW_BYTES = 1024 ** 3;
const ON_MEDIUM = {
  container: 'is in a layer of the container, and gone with it',
  memory: 'is in memory, and gone with the next start of the machine',
  remote: 'is on a file system that other machines may share: a second consumer there would not be noticed',
} as const;

/** @throws Failure write_failed: a file or folder may not be written */
export async function checkDisk(access: StoreAccess): Promise<Finding> {
  const room = await access.room();
  if (room === null) return { state: 'skipped', message: `${access.name} is not on a disk of this machine` };
  const { freeBytes, unwritable, medium, owner } = room;
  const free = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free under ${access.name}`;
  if (unwritable !== null) {
    throw new Failure('write_failed', `${unwritable} cannot be written by this user`, {
      fix: { kind: 'writable_folder' },
    });
  }
  if (medium !== 'disk')
    return warning(`${access.name} ${ON_MEDIUM[medium]}`, { kind: 'lasting_disk', medium });
  if (owner !== null) {
    return warning(
      `${access.name} belongs to user ${owner}, and this is root: that user may not write what root adds`,
      { kind: 'as_owner', user: owner },
    );
  }
  return freeBytes < LOW_BYTES ? warning(free, 'make room: a full disk stops the consumer') : ok(free);
}
