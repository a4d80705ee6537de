import type { Reason } from './reasons.ts';

/** Adjacent windows of the time at which orders were placed. */
export interface PlacedWindows {
  /** The start of each window, ascending, then the end of the last one: milliseconds since the epoch, or ±Infinity. */
  readonly edges: readonly number[];
  /** An order that is decided this long after the end of its window, or later, is late. */
  readonly graceMs: number;
}

/** Totals of decisions, by the window in which the orders were placed. */
export interface DecisionSums {
  readonly orders: readonly {
    /** Start of the window. */
    readonly from: number;
    /** null: accepted. */
    readonly reason: Reason | null;
    readonly count: number;
    readonly late: number;
  }[];
  /** Units of an item sold by accepted orders. */
  readonly sold: readonly {
    readonly from: number;
    readonly item: string;
    readonly quantity: number;
    /** In hundredths; lines without a price do not count. */
    readonly revenue: bigint;
    readonly unpriced: number;
  }[];
  /**
   * Units of each item that accepted orders took since its last edit, up to that position in history, whenever the
   * orders were placed.
   */
  readonly taken: ReadonlyMap<string, number>;
}
