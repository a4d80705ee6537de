import type { DecisionSums, PlacedWindows } from '../../../domain/orders/decision-sums.ts';
import { hundredths } from '../../../domain/orders/money.ts';
import type { Reason } from '../../../domain/orders/reasons.ts';
import type { SalesLine } from '../../../ports/store.ts';
import type { Queries } from '../lasting.ts';

/*
 * Decisions added up by the database, which may use several processes for that: they read all orders, and of the lines
 * those that count. In all three $1 are the edges of the windows; one that is open to a side has an infinity there.
 */

/**
 * The first commit that is not before a time. Archives are not asked: their orders come first, one by one, and the reader sees by them
 * that the time is past. Of orders not by the index, `+ 0`, which would look at one after the other up to it, and by one process alone.
 */
const FIRST_AT = `SELECT min(seq) AS seq FROM (
  SELECT min(seq + 0) AS seq FROM orderctl.orders WHERE decided_at >= $1
  UNION ALL SELECT min(seq) FROM orderctl.edits WHERE at >= $1
  UNION ALL SELECT min(seq) FROM orderctl.stock_movements WHERE at >= $1) firsts`;

/**
 * Window 0 is what was placed before the first one, and of n edges window n what was placed after the last one. They are
 * joined, and not just computed, so that the planner sees how few there are: only then it has several processes add up. Each
 * order has one; LEFT says that no order is left out, which the planner takes for most of them otherwise.
 */
const WINDOWS = `LEFT JOIN generate_series(0, cardinality($1::float8[])) AS w (number)
    ON w.number = width_bucket(o.created_at, $1::float8[])`;
const IS_PLACED_THEN = `o.created_at >= ($1::float8[])[1] AND o.created_at < ($1::float8[])[cardinality($1::float8[])]`;

const COUNTED = `SELECT w.number AS window, o.reason, count(*) AS count,
    count(*) FILTER (WHERE o.decided_at >= ($1::float8[])[w.number + 1] + $2) AS late
  FROM orderctl.orders o ${WINDOWS} WHERE ${IS_PLACED_THEN} GROUP BY 1, 2`;

/** Quantities of accepted orders are whole numbers. $2: before which commit stock is wanted; null: it is not. */
const SOLD = `SELECT w.number AS window, l.item, sum(l.quantity::bigint) AS quantity,
    round(coalesce(sum(l.quantity::bigint * l.unit_price), 0), 2)::text AS revenue,
    count(*) FILTER (WHERE l.unit_price IS NULL) AS unpriced,
    sum(l.quantity::bigint) FILTER (WHERE o.seq < $2 AND o.seq >= coalesce(e.seq, 0)) AS taken
  FROM orderctl.orders o ${WINDOWS} JOIN orderctl.order_lines l USING (order_id)
    LEFT JOIN (SELECT edit ->> 'item' AS item, max(seq) AS seq FROM orderctl.edits
      WHERE seq < $2 AND edit ->> 'kind' = 'item' GROUP BY 1) e USING (item)
  WHERE o.status = 'accepted' AND ($2::bigint IS NOT NULL OR ${IS_PLACED_THEN}) GROUP BY 1, 2`;

/** Behind all that there is. */
const NEVER = 2 ** 62;

/** As the decisions of `salesHistory`. */
export async function* summedDecisions(
  connection: Queries,
  { edges, graceMs }: PlacedWindows,
  stockAt: number | undefined,
): AsyncGenerator<SalesLine> {
  const startOf = (window: number): number => edges[window - 1] ?? NaN;
  const before = stockAt === undefined ? null : await firstAt(connection, stockAt);
  const counted = await connection.query<CountedRow>(COUNTED, [edges, graceMs]);
  const orders = counted.map(({ window, ...row }) => ({ from: startOf(window), ...row }));
  const taken = new Map<string, number>();
  const sold: DecisionSums['sold'][number][] = [];
  for (const row of await connection.query<SoldRow>(SOLD, [edges, before])) {
    const { window, item, unpriced } = row;
    if (row.taken !== null) taken.set(item, (taken.get(item) ?? 0) + Number(row.taken));
    if (window === 0 || window === edges.length) continue;
    const [quantity, revenue] = [Number(row.quantity), hundredths(row.revenue)];
    sold.push({ from: startOf(window), item, quantity, revenue, unpriced });
  }
  const end = before ?? NEVER;
  yield { kind: 'decisions', seq: end - 1, at: null, sums: { orders, sold, taken } };
  if (stockAt === undefined || end === NEVER) return;
  yield { kind: 'decisions', seq: end, at: stockAt, sums: { orders: [], sold: [], taken: new Map() } };
}

async function firstAt(connection: Queries, ms: number): Promise<number> {
  const [row] = await connection.query<{ seq: number | null }>(FIRST_AT, [ms]);
  return row?.seq ?? NEVER;
}

interface CountedRow {
  readonly window: number;
  readonly reason: Reason | null;
  readonly count: number;
  readonly late: number;
}

interface SoldRow {
  readonly window: number;
  readonly item: string;
  /** Sums are numerics, which come as texts. */
  readonly quantity: string;
  readonly revenue: string;
  readonly unpriced: number;
  readonly taken: string | null;
}
