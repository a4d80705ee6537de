import { RESTORED, RESTORED_KEY } from '../../domain/messages/restored.ts';
import type { Store } from '../../ports/store.ts';

/** From now on, new ids and revisions differ from those of messages that were sent but that the store has forgotten. */
export async function markRestored(store: Store): Promise<void> {
  await store.transact({}, ({ at }) => ({
    changes: { small: [{ table: RESTORED, key: RESTORED_KEY, value: { at } }] },
    result: undefined,
  }));
}
