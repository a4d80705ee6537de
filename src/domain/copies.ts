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
    {
      fix:
        'to go on with the other one, leave this one alone; to go on with this one, stop the other first, where it runs: orderctl stop\n' +
        'to use both, give this one an id and a group of its own: orderctl consume --new-id --group NAME',
    },
  );
}
