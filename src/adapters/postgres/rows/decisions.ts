import type { Decided } from '../../../domain/orders/decided.ts';
import type { Reason } from '../../../domain/orders/reasons.ts';
import type { UserStatus } from '../../../domain/tables.ts';

/** JSON has no NaN and no infinity, which come as texts. Of an order that is archived price and stock are not known. */
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
  readonly lines: readonly LineOfRow[] | null;
  /** The number of the archive that has all of it; null, or left out: this is all of it. */
  readonly archive?: number | null;
  readonly archive_file?: string | null;
}

/** Of `orderctl.orders o`: what decidedOf reads. The lines come by the primary key of order_lines. */
export const DECISION_COLUMNS = `o.order_id, o.seq, o.ordinal, o.status, o.user_name, o.created_at, o.decided_at, o.topic,
  o.partition, o.record_offset, o.reason, o.detail, o.user_status,
  (SELECT json_agg(json_build_array(l.item, l.quantity, l.unit_price::text, l.stock) ORDER BY l.line)
     FROM orderctl.order_lines l WHERE l.order_id = o.order_id) AS lines`;

/** Of an order that is archived, what the database keeps; its detail says where the rest is. */
const ARCHIVED = `SELECT o.order_id, 0, 0, o.status, o.user_name, o.created_at, o.decided_at, o.topic, o.partition,
  o.record_offset, o.reason, 'the details are archived in ' || a.file, NULL, o.lines, o.archive, a.file
  FROM orderctl.archived_orders o JOIN orderctl.archives a ON a.number = o.archive`;

/**
 * Orders by their ids, archived ones too. One statement: an order that is being archived is in one of the two tables.
 *
 * @param where of `o.order_id`, by the key of both tables
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
        ...{ item, quantity: Number(quantity), unitPrice },
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
    ...(row.archive_file == null ? {} : { archivedIn: row.archive_file }),
  };
}

/** Values of INSERT_ORDERS. */
export function orderValues(
  decisions: readonly Decided[],
  seqs: readonly number[],
  ordinals: readonly number[],
): unknown[] {
  const rejection = ({ outcome }: Decided) => (outcome.kind === 'rejected' ? outcome : null);
  return [
    decisions.map(({ order }) => order.orderId),
    seqs,
    ordinals,
    decisions.map(({ outcome }) => outcome.kind),
    decisions.map(({ order }) => order.user),
    decisions.map(({ order }) => order.createdAt),
    decisions.map(({ decidedAt }) => decidedAt),
    decisions.map(({ record }) => record.topic),
    decisions.map(({ record }) => record.partition),
    decisions.map(({ record }) => record.offset),
    decisions.map((decided) => rejection(decided)?.reason ?? null),
    decisions.map((decided) => rejection(decided)?.detail ?? null),
    decisions.map((decided) => rejection(decided)?.userStatus ?? null),
  ];
}

export const INSERT_ORDERS = `INSERT INTO orderctl.orders (order_id, seq, ordinal, status, user_name, created_at,
    decided_at, topic, partition, record_offset, reason, detail, user_status)
  SELECT * FROM unnest($1::text[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::float8[], $7::float8[],
    $8::text[], $9::int[], $10::bigint[], $11::text[], $12::text[], $13::text[])`;

/** Values of INSERT_LINES. */
export function lineValues(decisions: readonly Decided[]): unknown[] {
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
  return [ids, numbers, items, quantities, prices, stocks];
}

export const INSERT_LINES = `INSERT INTO orderctl.order_lines (order_id, line, item, quantity, unit_price, stock)
  SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::float8[], $5::numeric[], $6::bigint[])`;
