import { LEADER_EPOCH } from '../log/partition.ts';
import { KafkaError } from '../wire/errors.ts';

/**
 * @param epoch the client's; -1 when not given
 * @throws KafkaError unless it is this broker's only epoch: the client's metadata is from another cluster
 */
export function checkLeaderEpoch(epoch: number): void {
  if (epoch === -1 || epoch === LEADER_EPOCH) return;
  throw new KafkaError(epoch > LEADER_EPOCH ? 'UNKNOWN_LEADER_EPOCH' : 'FENCED_LEADER_EPOCH');
}
