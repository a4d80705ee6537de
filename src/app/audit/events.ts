import { difference, type Difference } from '../../domain/difference.ts';

/** Events that changed the stock: each counts once. */
export class EventBooks {
  readonly #seen = new Set<string>();
  readonly #report: (found: Difference) => void;

  constructor(report: (found: Difference) => void) {
    this.#report = report;
  }

  take(eventId: string, where: string): void {
    if (this.#seen.has(eventId)) {
      const message = `${where}: event ${eventId} changes the stock a second time`;
      this.#report(difference('event_twice', where, { message }));
    }
    this.#seen.add(eventId);
  }
}
