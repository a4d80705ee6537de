import { isSameUser } from '../names.ts';

/** The latest time that a Date can hold, in milliseconds since the epoch. */
export const GREATEST_TIME_MS = 8.64e15;

/** The greatest quantity of an order line: the maximum of an Avro and Java int. */
export const MAX_LINE_QUANTITY = 2 ** 31 - 1;

/** Whether a quantity fits the int of the event schema. Orders of other producers may have fractions. */
export function fitsTheEvent(quantity: number): boolean {
  return Number.isInteger(quantity) && quantity <= MAX_LINE_QUANTITY && quantity >= -MAX_LINE_QUANTITY - 1;
}

export interface OrderLine {
  readonly item: string;
  /** The number as it was sent, which may be NaN or infinite. The decision checks whether it is acceptable. */
  readonly quantity: number;
  /** A decimal string such as "12.50"; null: the order has no price. */
  readonly unitPrice: string | null;
}

/** An order as it was read: its names are valid by names.ts, nothing else is checked yet. */
export interface Order {
  readonly orderId: string;
  /** Empty: the order has no user, in a shop that does not require users. */
  readonly user: string;
  readonly items: readonly OrderLine[];
  /** Milliseconds since the epoch; NaN: unknown until the order is decided. */
  readonly createdAt: number;
}

/** The position of a record in Kafka. Offsets are numbers, exact up to 2^53 − 1, which no topic reaches. */
export interface RecordId {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Formats a record as `orders/3@17`, for messages and ids. */
export function formatRecordId(record: RecordId): string {
  return `${record.topic}/${record.partition}@${record.offset}`;
}

/** The total quantity of each item, in the order in which items first appear. */
export function totalsByItem(items: readonly OrderLine[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const line of items) totals.set(line.item, (totals.get(line.item) ?? 0) + line.quantity);
  return totals;
}

/** The user of an order, for documents; null: none. */
export function userOf({ user }: Pick<Order, 'user'>): string | null {
  return user === '' ? null : user;
}

/**
 * Whether two records carry the same order: same user and same total per item. Creation time, prices and the
 * order of lines do not count.
 */
export function sameContent(a: Order, b: Order): boolean {
  if (!isSameUser(a.user, b.user)) return false;
  const left = totalsByItem(a.items);
  const right = totalsByItem(b.items);
  if (left.size !== right.size) return false;
  for (const [item, quantity] of left) if (!isSameTotal(right.get(item), quantity)) return false;
  return true;
}

/** NaN and the infinities count as equal: JSON stores all of them as null. */
function isSameTotal(a: number | undefined, b: number): boolean {
  return a === b || (a !== undefined && !Number.isFinite(a) && !Number.isFinite(b));
}

/** The timestamp of a record; null if its producer set none, in which case Kafka has −1. */
export function recordTime(timestampMs: number): number | null {
  return timestampMs >= 0 && timestampMs <= GREATEST_TIME_MS ? timestampMs : null;
}
