import { decideAll } from '../../src/processors/orders/decide.ts';
import type { Movement } from '../../src/domain/movement.ts';
import type { Order, RecordId } from '../../src/domain/orders/order.ts';
import type { Store, StoredPosition } from '../../src/ports/store.ts';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { systemClock } from '../../src/compose.ts';

export interface DecidedRecord {
  readonly order: Order;
  readonly record: RecordId;
}

/** An order with one line for each of `items`, as the record `offset` of partition 0 of `topic`. */
export function recordOf(
  topic: string,
  offset: number,
  orderId: string,
  user: string,
  items: Readonly<Record<string, number>>,
  partition = 0,
): DecidedRecord {
  const lines = Object.entries(items).map(([item, quantity]) => ({ item, quantity, unitPrice: null }));
  return {
    order: { orderId, user, items: lines, createdAt: Date.UTC(2026, 0, 2) },
    record: { topic, partition, offset },
  };
}

/**
 * Processes records as a consumer does, in one commit with the positions after them and the other changes they cause.
 */
export async function decideRecords(
  store: Store,
  records: readonly DecidedRecord[],
  movements: readonly Movement[] = [],
): Promise<void> {
  await store.transact(
    {
      users: records.map(({ order }) => order.user),
      items: records.flatMap(({ order }) => order.items.map(({ item }) => item)),
      orders: records.map(({ order }) => order.orderId),
      positions: records.map(({ record }) => ({ processor: 'orders', ...record })),
    },
    (snapshot) => {
      const decisions = decideAll(
        records.map(({ order, record }) => ({ message: order, record })),
        {
          status: (user) => snapshot.user(user)?.status,
          quantity: (item) => snapshot.item(item)?.quantity,
          decided: (orderId) => snapshot.decided(orderId),
        },
        snapshot.at,
      );
      const positions = new Map<string, StoredPosition>();
      for (const { topic, partition, offset } of records.map(({ record }) => record)) {
        const position: StoredPosition = {
          processor: 'orders',
          topic,
          partition,
          next: offset + 1,
          last: null,
          clusterId: null,
        };
        positions.set(`${topic}/${partition}`, position);
      }
      return {
        changes: {
          decisions: decisions.flatMap((decision) => (decision.kind === 'decided' ? [decision.decided] : [])),
          positions: [...positions.values()],
          movements,
        },
        result: undefined,
      };
    },
  );
}

/** The store of a folder on disk, owned until it is disposed. */
export function ownFolder(folder: string, clock = systemClock): Promise<Store> {
  return openFolder({ folder, clock }).own({
    purpose: 'consume',
    via: 'consume',
    onNotice: () => undefined,
  });
}
