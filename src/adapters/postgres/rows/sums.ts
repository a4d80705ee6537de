import type { DecisionSums, PlacedWindows } from '../../../domain/orders/decision-sums.ts';
import { hundredths } from '../../../domain/orders/money.ts';
import type { Reason } from '../../../domain/orders/reasons.ts';
import type { SalesLine } from '../../../ports/store.ts';
import type { Queries } from '../lasting.ts';

/*
 * Decisions added up by the database, which may use several processes for it: they read all orders, and the lines
 * that count. In all three queries, $1 has the edges of the windows; a window without a bound has an infinity there.
 */

/**
 * The first commit that is not before a time. Archives are not read: their orders come first, one by one, and show
 * the reader that the time is past. For orders, `+ 0` avoids the index, which would check one after another up to
 * that commit, in a single process.
 */
const FIRST_AT = `SELECT min(seq) AS seq FROM (
  SELECT min(seq + 0) AS seq FROM orderctl.orders WHERE decided_at >= $1
  UNION ALL SELECT min(seq) FROM orderctl.edits WHERE at >= $1
  UNION ALL SELECT min(seq) FROM orderctl.stock_movements WHERE at >= $1) firsts`;

/**
 * Window 0 has what was placed before the first edge and, for n edges, window n what was placed after the last. The
 * windows are joined, not just computed, so that the planner sees how few there are: only then does it use several
 * processes. Each order has one window; LEFT tells the planner that no order is left out, as it would otherwise
 * assume for most of them.
 */
const WINDOWS = `LEFT JOIN generate_series(0, cardinality($1::float8[])) AS w (number)
    ON w.number = width_bucket(o.created_at, $1::float8[])`;
const IS_PLACED_THEN = `o.created_at >= ($1::float8[])[1] AND o.created_at < ($1::float8[])[cardinality($1::float8[])]`;

const COUNTED = `SELECT w.number AS window, o.reason, count(*) AS count,
    count(*) FILTER (WHERE o.decided_at >= ($1::float8[])[w.number + 1] + $2) AS late
  FROM orderctl.orders o ${WINDOWS} WHERE ${IS_PLACED_THEN} GROUP BY 1, 2`;

/** Quantities of accepted orders are whole numbers. $2: the commit before which stock is wanted; null: none is. */
const SOLD = `SELECT w.number AS window, l.item, sum(l.quantity::bigint) AS quantity,
    round(coalesce(sum(l.quantity::bigint * l.unit_price), 0), 2)::text AS revenue,
    count(*) FILTER (WHERE l.unit_price IS NULL) AS unpriced,
    sum(l.quantity::bigint) FILTER (WHERE o.seq < $2 AND o.seq >= coalesce(e.seq, 0)) AS taken
  FROM orderctl.orders o ${WINDOWS} JOIN orderctl.order_lines l USING (order_id)
    LEFT JOIN (SELECT edit ->> 'item' AS item, max(seq) AS seq FROM orderctl.edits
      WHERE seq < $2 AND edit ->> 'kind' = 'item' GROUP BY 1) e USING (item)
  WHERE o.status = 'accepted' AND ($2::bigint IS NOT NULL OR ${IS_PLACED_THEN}) GROUP BY 1, 2`;

/** Behind everything that exists. */
const NEVER = 2 ** 62;

/** The decisions of `salesHistory`. */
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
  /** Sums are numerics, which arrive as texts. */
  readonly quantity: string;
  readonly revenue: string;
  readonly unpriced: number;
  readonly taken: string | null;
}
