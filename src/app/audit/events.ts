import { difference, type Difference } from '../../domain/difference.ts';
import type { Movement } from '../../domain/movement.ts';
import type { StockEvent } from '../../domain/stock/events.ts';

/** Events of all sources that counted: each changes the stock once, by as much as it says. */
export class EventBooks {
  /** By event: how much its movement changed; null: it was found in the log of events, and agrees. */
  readonly #events = new Map<string, number | null>();
  readonly #report: (found: Difference) => void;

  constructor(report: (found: Difference) => void) {
    this.#report = report;
  }

  /** Before all lines of the log of events. */
  move({ eventId, delta }: Movement, where: string): void {
    if (eventId === null) return;
    if (this.#events.has(eventId)) {
      this.#twice(`${where}: event ${eventId} changes the stock a second time`, where);
    }
    this.#events.set(eventId, delta);
  }

  take({ event_id, delta, product_id: item }: StockEvent, where: string): void {
    const moved = this.#events.get(event_id);
    this.#events.set(event_id, null);
    if (moved === null) {
      this.#twice(`${where}: event ${event_id} counts a second time`, where);
    } else if ((moved ?? 0) !== delta) {
      const message = `${where}: event ${event_id} changes ${item} by ${delta}, and its movement by ${moved ?? 0}`;
      const about = { item, expected: delta, actual: moved ?? 0, message };
      this.#report(difference('event_mismatch', where, about));
    }
  }

  /** At the end. */
  close(): void {
    for (const [eventId, moved] of this.#events) {
      if (moved === null) continue;
      const message = `event ${eventId} changes the stock by ${moved}, and is not in the log of events`;
      this.#report(difference('event_mismatch', 'movements.jsonl', { actual: moved, message }));
    }
  }

  #twice(message: string, where: string): void {
    this.#report(difference('event_twice', where, { message }));
  }
}
