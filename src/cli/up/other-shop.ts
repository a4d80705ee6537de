import { refuseOtherShop } from '../../app/offsets/other-shop.ts';
import { readingOfAll } from '../../app/offsets/reading.ts';
import { openBroker } from '../../compose.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { brokerConnection } from '../kafka/connection.ts';
import type { Session } from '../session.ts';
import type { Kafka } from './stack.ts';

/** Brokers that do not answer within this time do not stop `up` from starting: the processors wait for them. */
const LOOK_MS = 3_000;
const OWN =
  'give this shop a broker of its own: --broker-port 0 --registry-port 0 --data DIR; ' +
  'or, on this one, a group and an orders topic of its own: --group NAME --topic NAME';

/**
 * Checks the groups before anything is served: processors whose group belongs to another shop would be restarted again
 * and again, while the API accepts orders that the other shop processes.
 *
 * @throws Failure group_in_use, group_marked
 */
export async function checkGroups(
  { resolved }: Session,
  { brokers, own }: Kafka,
  access: StoreAccess,
): Promise<void> {
  const { group, topics: names } = resolved.settings;
  try {
    const connection =
      own === null ? brokerConnection(resolved) : { brokers: [brokers], tls: null, sasl: null };
    const broker = await openBroker(connection, () => undefined, { totalTimeoutMs: LOOK_MS });
    await using admin = await broker.admin();
    await refuseOtherShop(admin, await storeIdOf(access), readingOfAll({ group, names }));
  } catch (error) {
    // The parts report other problems.
    if (!isFailure(error)) throw error;
    const { code, message } = error;
    if (code !== 'group_in_use' && code !== 'group_marked') return;
    const fix =
      code === 'group_in_use'
        ? `stop what uses it; or ${OWN}`
        : `${OWN}; or take the group over at its committed offsets: orderctl run --adopt`;
    throw new Failure(code, message, { fix, cause: error });
  }
}

async function storeIdOf(access: StoreAccess): Promise<string | null> {
  if (!(await access.isThere())) return null;
  await using reader = await access.read();
  return reader.storeId;
}
