import { Failure } from './failure.ts';

/**
 * A folder is known to Kafka by its id, and a copy of the folder has the same: both would decide the orders of one
 * group, each into its own books.
 *
 * @param host where the other one runs
 */
export function copyInUse(group: string, host: string): Failure {
  return new Failure(
    'group_in_use',
    `consumer group ${group} has a living member on ${host} with the id of this very folder: one of the two is a copy of the other`,
    { fix: { kind: 'choose_copy' } },
  );
}
