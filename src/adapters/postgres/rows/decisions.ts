import type { Decided } from '../../../domain/orders/decided.ts';
import type { Reason } from '../../../domain/orders/reasons.ts';
import type { UserStatus } from '../../../domain/tables.ts';
import { insertOf, type Column, type Statement } from './arrays.ts';

/**
 * JSON has no NaN and no infinity, which are written as texts. The price and stock of an archived order are unknown.
 */
type LineOfRow = readonly [
  item: string,
  quantity: number | string,
  unitPrice?: string | null,
  stock?: number | null,
];

export interface DecisionRow {
  readonly order_id: string;
  readonly seq: number;
  readonly ordinal: number;
  readonly status: 'accepted' | 'rejected';
  readonly user_name: string;
  readonly created_at: number;
  readonly decided_at: number;
  readonly topic: string;
  readonly partition: number;
  readonly record_offset: number;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly user_status: string | null;
  /** null, or left out: the decision has none. */
  readonly traceparent?: string | null;
  readonly lines: readonly LineOfRow[] | null;
  /** The number of the archive that has the complete order; null or absent: this row is complete. */
  readonly archive?: number | null;
  readonly archive_file?: string | null;
}

/** Columns of `orderctl.orders o` that decidedOf reads. The lines are found by the primary key of order_lines. */
export const DECISION_COLUMNS = `o.order_id, o.seq, o.ordinal, o.status, o.user_name, o.created_at, o.decided_at, o.topic,
  o.partition, o.record_offset, o.reason, o.detail, o.user_status, o.traceparent,
  (SELECT json_agg(json_build_array(l.item, l.quantity, l.unit_price::text, l.stock) ORDER BY l.line)
     FROM orderctl.order_lines l WHERE l.order_id = o.order_id) AS lines`;

/** What the database keeps of an archived order; its detail says where the rest is. */
const ARCHIVED = `SELECT o.order_id, 0, 0, o.status, o.user_name, o.created_at, o.decided_at, o.topic, o.partition,
  o.record_offset, o.reason, 'the details are archived in ' || a.file, NULL, NULL, o.lines, o.archive, a.file
  FROM orderctl.archived_orders o JOIN orderctl.archives a ON a.number = o.archive`;

/**
 * Selects orders by their ids, including archived ones. One statement, because an order that is being archived is in
 * one of the two tables.
 *
 * @param where a condition for `o.order_id`, the key of both tables
 */
export function decidedWhere(where: string): string {
  return `SELECT ${DECISION_COLUMNS}, NULL::integer AS archive, NULL AS archive_file FROM orderctl.orders o WHERE ${where}
    UNION ALL ${ARCHIVED} WHERE ${where}`;
}

export function decidedOf(row: DecisionRow): Decided {
  const lines = row.lines ?? [];
  return {
    order: {
      orderId: row.order_id,
      user: row.user_name,
      items: lines.map(([item, quantity, unitPrice = null]) => ({
        item,
        quantity: Number(quantity),
        unitPrice,
      })),
      createdAt: row.created_at,
    },
    record: { topic: row.topic, partition: row.partition, offset: row.record_offset },
    outcome:
      row.status === 'accepted'
        ? { kind: 'accepted', stock: row.archive == null ? lines.map(([, , , stock]) => stock ?? 0) : [] }
        : {
            kind: 'rejected',
            reason: row.reason as Reason,
            detail: row.detail ?? '',
            userStatus: row.user_status as UserStatus | null,
            stock: lines.map(([, , , stock = null]) => stock),
          },
    decidedAt: row.decided_at,
    ...(row.traceparent == null ? {} : { traceparent: row.traceparent }),
    ...(row.archive_file == null ? {} : { archivedIn: row.archive_file }),
  };
}

export function insertOrders(
  decisions: readonly Decided[],
  seqs: readonly number[],
  ordinals: readonly number[],
): Statement {
  const column = (name: string, type: string, of: (decided: Decided) => unknown): Column => {
    return { name, type, values: decisions.map(of) };
  };
  const rejection = ({ outcome }: Decided) => (outcome.kind === 'rejected' ? outcome : null);
  return insertOf(
    'orderctl.orders',
    column('order_id', 'text', ({ order }) => order.orderId),
    [
      { name: 'seq', type: 'bigint', values: seqs },
      { name: 'ordinal', type: 'int', values: ordinals },
      column('status', 'text', ({ outcome }) => outcome.kind),
      column('user_name', 'text', ({ order }) => order.user),
      column('created_at', 'float8', ({ order }) => order.createdAt),
      column('decided_at', 'float8', ({ decidedAt }) => decidedAt),
      column('topic', 'text', ({ record }) => record.topic),
      column('partition', 'int', ({ record }) => record.partition),
      column('record_offset', 'bigint', ({ record }) => record.offset),
      column('reason', 'text', (decided) => rejection(decided)?.reason ?? null),
      column('detail', 'text', (decided) => rejection(decided)?.detail ?? null),
      column('user_status', 'text', (decided) => rejection(decided)?.userStatus ?? null),
      column('traceparent', 'text', ({ traceparent = null }) => traceparent),
    ],
  );
}

export function insertLines(decisions: readonly Decided[]): Statement {
  const ids: string[] = [];
  const numbers: number[] = [];
  const items: string[] = [];
  const quantities: number[] = [];
  const prices: (string | null)[] = [];
  const stocks: (number | null)[] = [];
  for (const { order, outcome } of decisions) {
    for (const [index, line] of order.items.entries()) {
      ids.push(order.orderId);
      numbers.push(index);
      items.push(line.item);
      quantities.push(line.quantity);
      prices.push(line.unitPrice);
      stocks.push(outcome.stock[index] ?? null);
    }
  }
  return insertOf('orderctl.order_lines', { name: 'order_id', type: 'text', values: ids }, [
    { name: 'line', type: 'int', values: numbers },
    { name: 'item', type: 'text', values: items },
    { name: 'quantity', type: 'float8', values: quantities },
    { name: 'unit_price', type: 'numeric', values: prices },
    { name: 'stock', type: 'bigint', values: stocks },
  ]);
}
