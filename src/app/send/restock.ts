import { MAX_LINE_QUANTITY } from '../../domain/orders/order.ts';
import { isLow, reorderLevelOf, type Item } from '../../domain/tables.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SourceEvent } from './sources.ts';

/** How often stock is read; a restock may be late by this time. */
const READ_EVERY_MS = 1_000;
/** A delivery that is not counted by then is repeated: the shop may be waiting for its brokers. */
const COUNTED_WITHIN_MS = 5_000;
const LEVELS_TO_A_DELIVERY = 10;
const LEAST_ON_HAND = 100;

export interface RestockOptions {
  /** The stock when the samples start. */
  readonly first: readonly Item[];
  readonly read: () => Promise<Iterable<Item>>;
  /** The reorder level of items that have none. */
  readonly lowStock: number;
  readonly deliver: (item: Item, quantity: number) => SourceEvent;
  readonly clock: Pick<Clock, 'elapsed'>;
}

/**
 * Endless events, with a delivery of each item that has become low in between, up to the quantity on hand when the
 * samples started: a shop that sells does not run out.
 */
export async function* restocking(
  events: Iterable<SourceEvent>,
  { first, read, lowStock, deliver, clock }: RestockOptions,
): AsyncGenerator<SourceEvent> {
  const atFirst = new Map(first.map(({ item, quantity }) => [item, quantity]));
  const deliveredAt = new Map<string, number>();
  let readAt = -Infinity;
  for (const event of events) {
    if (clock.elapsed() - readAt >= READ_EVERY_MS) {
      const items = await read();
      readAt = clock.elapsed();
      for (const item of items) {
        const before = atFirst.get(item.item);
        // Added since: the user who added the item decides how much of it there should be.
        if (before === undefined) continue;
        if (!isLow(item, lowStock)) {
          deliveredAt.delete(item.item);
          continue;
        }
        if (readAt - (deliveredAt.get(item.item) ?? -Infinity) < COUNTED_WITHIN_MS) continue;
        const wanted = Math.max(before, LEAST_ON_HAND, LEVELS_TO_A_DELIVERY * reorderLevelOf(item, lowStock));
        deliveredAt.set(item.item, readAt);
        yield deliver(item, Math.min(wanted - item.quantity, MAX_LINE_QUANTITY));
      }
    }
    yield event;
  }
}
