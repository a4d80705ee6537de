import type { Clock } from '../../ports/clock.ts';
import type { HistoryLine } from '../../ports/store.ts';
import type { Catalogue } from '../send/checkout-order.ts';

/** Limits the age of the cache: hand edits that no process has applied yet are not in any history. */
const GOOD_FOR_MS = 2_000;

/** Prices and addresses, read again after they have changed. */
export class CatalogueCache {
  readonly #read: () => Promise<Catalogue>;
  readonly #clock: Clock;
  #known: { readonly catalogue: Promise<Catalogue>; readonly goodUntil: number } | null = null;

  constructor(read: () => Promise<Catalogue>, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  async get(): Promise<Catalogue> {
    const now = this.#clock.elapsed();
    if (this.#known === null || now >= this.#known.goodUntil) {
      this.#known = { catalogue: this.#read(), goodUntil: now + GOOD_FOR_MS };
    }
    const known = this.#known;
    try {
      return await known.catalogue;
    } catch (error) {
      if (this.#known === known) this.#known = null;
      throw error;
    }
  }

  /** Takes note of events in the shop. */
  note(lines: readonly HistoryLine[]): void {
    if (lines.some(({ kind }) => kind === 'edit')) this.forget();
  }

  forget(): void {
    this.#known = null;
  }
}
