import { difference, type Difference } from '../../domain/difference.ts';
import type { Movement } from '../../domain/movement.ts';
import type { StockEvent } from '../../domain/stock/events.ts';

/** Checks that each stock event that was applied changes the stock once, by its own delta. */
export class EventBooks {
  /** By event id: the delta of its movement; null: the log of events has it, and agrees. */
  readonly #events = new Map<string, number | null>();
  readonly #report: (found: Difference) => void;

  constructor(report: (found: Difference) => void) {
    this.#report = report;
  }

  /** To be called for all movements, before the log of events. */
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
      this.#twice(`${where}: event ${event_id} is logged a second time`, where);
    } else if ((moved ?? 0) !== delta) {
      const message = `${where}: event ${event_id} changes ${item} by ${delta}, but its movement by ${moved ?? 0}`;
      const about = { item, expected: delta, actual: moved ?? 0, message };
      this.#report(difference('event_mismatch', where, about));
    }
  }

  /** To be called at the end. */
  close(): void {
    for (const [eventId, moved] of this.#events) {
      if (moved === null) continue;
      const message = `event ${eventId} changes the stock by ${moved}, but is not in the log of events`;
      this.#report(difference('event_mismatch', 'movements.jsonl', { actual: moved, message }));
    }
  }

  #twice(message: string, where: string): void {
    this.#report(difference('event_twice', where, { message }));
  }
}
