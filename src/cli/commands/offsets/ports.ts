import { type OffsetsPorts } from '../../../app/offsets/show.ts';
import { type TimeLimits } from '../../../compose.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';

/** For all requests together that show the positions: a user waits for them. */
export const SHOW_TIMEOUT_MS = 10_000;

export const TOGETHER =
  'The stored position is what counts, and the committed offsets of the group follow it, so that every Kafka ' +
  'tool shows the right lag.';

export async function openPorts(session: Session, limits: TimeLimits = {}): Promise<OffsetsPorts> {
  const [access, broker] = await Promise.all([openStoreOf(session), openBrokerOnly(session, limits)]);
  return { access, broker };
}
