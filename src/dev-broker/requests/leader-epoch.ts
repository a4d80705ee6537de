import { LEADER_EPOCH } from '../log/partition.ts';
import { KafkaError } from '../wire/errors.ts';

/**
 * @param epoch the one that the client knows; -1 when it does not say
 * @throws KafkaError when it is not the one there is: the client's metadata are of another cluster
 */
export function checkLeaderEpoch(epoch: number): void {
  if (epoch === -1 || epoch === LEADER_EPOCH) return;
  throw new KafkaError(epoch > LEADER_EPOCH ? 'UNKNOWN_LEADER_EPOCH' : 'FENCED_LEADER_EPOCH');
}
