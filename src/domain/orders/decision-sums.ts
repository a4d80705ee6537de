import type { Reason } from './reasons.ts';

/** Windows of time in which orders were placed, one behind the other. */
export interface PlacedWindows {
  /** Where each begins, ascending, and at last where the last one ends: milliseconds since the epoch, or an infinity. */
  readonly edges: readonly number[];
  /** An order that is decided so long after its window has ended is late. */
  readonly graceMs: number;
}

/** Decisions added up, of orders placed in windows. */
export interface DecisionSums {
  readonly orders: readonly {
    /** Where the window begins. */
    readonly from: number;
    /** null: they were accepted. */
    readonly reason: Reason | null;
    readonly count: number;
    readonly late: number;
  }[];
  /** Of accepted orders: what they sold of an item. */
  readonly sold: readonly {
    readonly from: number;
    readonly item: string;
    readonly quantity: number;
    /** In hundredths, without lines that name no price. */
    readonly revenue: bigint;
    readonly unpriced: number;
  }[];
  /** Whenever they were placed: what accepted orders took of each item since its last edit, up to that place in history. */
  readonly taken: ReadonlyMap<string, number>;
}
