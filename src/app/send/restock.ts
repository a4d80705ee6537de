import { MAX_LINE_QUANTITY } from '../../domain/orders/order.ts';
import { isLow, reorderLevelOf, type Item } from '../../domain/tables.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SourceEvent } from './sources.ts';

/** Stock is low for about as long: it is read so often. */
const LOOK_EVERY_MS = 1_000;
/** A delivery that is not counted by then is made up for: the shop may wait for its brokers. */
const COUNTED_WITHIN_MS = 5_000;
const LEVELS_TO_A_DELIVERY = 10;
const LEAST_ON_HAND = 100;

export interface RestockOptions {
  /** Stock when the samples begin. */
  readonly first: readonly Item[];
  readonly read: () => Promise<Iterable<Item>>;
  /** The reorder level of items that have none. */
  readonly lowStock: number;
  readonly deliver: (item: Item, quantity: number) => SourceEvent;
  readonly clock: Pick<Clock, 'elapsed'>;
}

/**
 * Events without end, and between them a delivery of each item that has become low, up to what was on hand when the samples
 * began: so that a shop that sells goes on selling.
 */
export async function* restocking(
  events: Iterable<SourceEvent>,
  { first, read, lowStock, deliver, clock }: RestockOptions,
): AsyncGenerator<SourceEvent> {
  const atFirst = new Map(first.map(({ item, quantity }) => [item, quantity]));
  const deliveredAt = new Map<string, number>();
  let lookedAt = -Infinity;
  for (const event of events) {
    if (clock.elapsed() - lookedAt >= LOOK_EVERY_MS) {
      const items = await read();
      lookedAt = clock.elapsed();
      for (const item of items) {
        const before = atFirst.get(item.item);
        // One that was added since is somebody's who knows how many there should be.
        if (before === undefined) continue;
        if (!isLow(item, lowStock)) {
          deliveredAt.delete(item.item);
          continue;
        }
        if (lookedAt - (deliveredAt.get(item.item) ?? -Infinity) < COUNTED_WITHIN_MS) continue;
        const wanted = Math.max(before, LEAST_ON_HAND, LEVELS_TO_A_DELIVERY * reorderLevelOf(item, lowStock));
        deliveredAt.set(item.item, lookedAt);
        yield deliver(item, Math.min(wanted - item.quantity, MAX_LINE_QUANTITY));
      }
    }
    yield event;
  }
}
