import { RESTORED, RESTORED_KEY } from '../../domain/messages/restored.ts';
import type { Store } from '../../ports/store.ts';

/** Ids and revisions of what it sends from now on differ from those of what it sent and has forgotten. */
export async function markRestored(store: Store): Promise<void> {
  await store.transact({}, ({ at }) => ({
    changes: { small: [{ table: RESTORED, key: RESTORED_KEY, value: { at } }] },
    result: undefined,
  }));
}
