import { Failure } from './failure.ts';

/**
 * Kafka identifies a storage folder by its id, and a copy of the folder has the same id. If both ran, both would
 * process the orders of one group, each into its own books.
 *
 * @param host where the other process runs
 */
export function copyInUse(group: string, host: string): Failure {
  return new Failure(
    'group_in_use',
    `consumer group ${group} has an active member on ${host} with the id of this folder: one of the two folders is a copy of the other`,
    { fix: { kind: 'choose_copy' } },
  );
}
