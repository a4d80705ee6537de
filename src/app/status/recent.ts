import type { Decided } from '../../domain/orders/decided.ts';
import { isLow, reorderLevelOf, type Item } from '../../domain/tables.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HistoryLine } from '../../ports/store.ts';
import { decisionsOf, inDecisionOrderFromEnd } from '../orders/decision-order.ts';

/** The number of latest decisions that are summarized. */
const LATEST = 1_000;
/** The tables are read again after this time, or after this multiple of the time that reading them took. */
const TABLES_MS = 5_000;
const TABLES_TIMES = 20;

export interface Recent {
  /** The number of decisions that the figures cover. */
  readonly decisions: number;
  /** Rejections by reason, most frequent first. */
  readonly reasons: readonly (readonly [reason: string, count: number])[];
  /** Units in accepted orders by item, most first. */
  readonly items: readonly (readonly [item: string, units: number])[];
  /** Items that are low in stock, lowest first. */
  readonly low: readonly Item[];
}

/** The latest decisions and the items that are low in stock, kept up to date. */
export class RecentBoard {
  readonly #access: StoreAccess;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #lowStock: number;
  #latest: Decided[] = [];
  #low: readonly Item[] = [];
  #readAgainAt = 0;
  #isFollowing = false;

  /** @param lowStock the reorder level of items that have none */
  constructor(access: StoreAccess, clock: Clock, signal: AbortSignal, lowStock: number) {
    this.#lowStock = lowStock;
    this.#access = access;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** @throws Failure as reading the store */
  async look(): Promise<Recent> {
    if (this.#clock.elapsed() >= this.#readAgainAt) await this.#read();
    return { ...summaryOf(this.#latest), low: this.#low };
  }

  async #read(): Promise<void> {
    const from = this.#clock.elapsed();
    await using reader = await this.#access.read();
    this.#low = [...(await reader.items())]
      .filter((item) => isLow(item, this.#lowStock))
      .map((item) => ({ ...item, reorderLevel: reorderLevelOf(item, this.#lowStock) }))
      .sort((a, b) => a.quantity - b.quantity);
    if (!this.#isFollowing) {
      this.#isFollowing = true;
      const later = reader.follow([], this.#signal);
      for await (const chunk of inDecisionOrderFromEnd(reader)) {
        this.#latest.unshift(...chunk.slice(0, LATEST - this.#latest.length).reverse());
        if (this.#latest.length === LATEST) break;
      }
      void this.#follow(later);
    }
    const tookMs = this.#clock.elapsed() - from;
    this.#readAgainAt = this.#clock.elapsed() + Math.max(TABLES_MS, TABLES_TIMES * tookMs);
  }

  async #follow(later: AsyncIterable<readonly HistoryLine[]>): Promise<void> {
    try {
      for await (const decided of decisionsOf(later)) {
        this.#latest = [...this.#latest, ...decided].slice(-LATEST);
      }
    } catch {
      // The next call starts from scratch, and reports the failure.
      this.#isFollowing = false;
      this.#latest = [];
      this.#readAgainAt = 0;
    }
  }
}

/** Counts the latest decisions by reason and item. */
function summaryOf(latest: readonly Decided[]): Omit<Recent, 'low'> {
  const reasons = new Map<string, number>();
  const items = new Map<string, number>();
  for (const { order, outcome } of latest) {
    if (outcome.kind === 'rejected') reasons.set(outcome.reason, (reasons.get(outcome.reason) ?? 0) + 1);
    else for (const { item, quantity } of order.items) items.set(item, (items.get(item) ?? 0) + quantity);
  }
  const byCount = (counts: Map<string, number>): [string, number][] =>
    [...counts].sort(([, a], [, b]) => b - a);
  return { decisions: latest.length, reasons: byCount(reasons), items: byCount(items) };
}
