import { CHECKOUT } from '../../domain/checkout/facts.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { upTo, type Moment, type Reached } from '../history/moment.ts';
import { Again, type Circumstances } from './again.ts';
import type { OtherOutcome } from './outcome.ts';

/** The actual and the hypothetical value, both counted from the start of history. */
interface Sides<T> {
  readonly was: T;
  readonly wouldBe: T;
}

export interface WhatIf {
  /** The number of orders, in both flows, with a decision about stock. */
  readonly decided: number;
  /** All orders that would differ are counted, by their hypothetical outcome; the first ones are kept. */
  readonly counts: Readonly<Record<OtherOutcome['wouldBe'] | 'rejected_otherwise', number>>;
  readonly orders: readonly OtherOutcome[];
  /** Items with a difference, in the order in which they were added. */
  readonly items: readonly {
    readonly item: string;
    readonly quantity: Sides<number | null>;
    /** When it first sold out, in milliseconds since the epoch; null: never. */
    readonly ranOutAt: Sides<number | null>;
  }[];
  /** In hundredths. */
  readonly revenue: Sides<bigint>;
  /** Units sold without a price. */
  readonly unpriced: Sides<number>;
  /** Checkout orders that were rejected but would not have been: it is unknown whether they would have been paid. */
  readonly unknown: number;
  /** Assumed names that no edit or order has. */
  readonly unseen: { readonly items: readonly string[]; readonly users: readonly string[] };
  readonly reached: Readonly<Reached>;
}

/**
 * Decides the history again under other circumstances, in memory; the store is only read. If the circumstances are the
 * actual ones, there are no differences.
 *
 * @param until the last moment to include; null: all of history
 * @throws Failure not_found: history starts later, or does not reach that commit
 */
export async function whatIf(
  access: Pick<StoreAccess, 'read'>,
  circumstances: Circumstances,
  until: Moment | null,
): Promise<WhatIf> {
  await using reader = await access.read();
  const reached: Reached = { seq: null, at: null, unnumbered: 0 };
  const again = new Again(circumstances);
  const history = reader.history([CHECKOUT]);
  for await (const lines of upTo(history, until ?? { kind: 'time', ms: Infinity }, reached)) {
    for (const line of lines) again.take(line);
  }
  const { was, wouldBe, decided, counts, orders, unknown } = again;
  return {
    decided,
    counts,
    orders,
    unknown,
    reached,
    unseen: { items: [...again.unseen.items], users: [...again.unseen.users] },
    items: [...new Set([...was.items(), ...wouldBe.items()])].flatMap((item) => {
      const quantity = { was: was.quantity(item) ?? null, wouldBe: wouldBe.quantity(item) ?? null };
      const ranOutAt = { was: was.ranOutAt.get(item) ?? null, wouldBe: wouldBe.ranOutAt.get(item) ?? null };
      const isSame = quantity.was === quantity.wouldBe && ranOutAt.was === ranOutAt.wouldBe;
      return isSame ? [] : [{ item, quantity, ranOutAt }];
    }),
    revenue: { was: was.revenue, wouldBe: wouldBe.revenue },
    unpriced: { was: was.unpriced, wouldBe: wouldBe.unpriced },
  };
}
