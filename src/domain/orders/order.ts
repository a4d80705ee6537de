import { isSameUser } from '../names.ts';

/** The last moment that a date can be. */
export const GREATEST_TIME_MS = 8.64e15;

/** Greatest quantity an order line may ask for: Avro's and Java's int. */
export const MAX_LINE_QUANTITY = 2 ** 31 - 1;

/** Whether the event schema's int can hold it: orders of other producers may carry a fraction. */
export function fitsTheEvent(quantity: number): boolean {
  return Number.isInteger(quantity) && quantity <= MAX_LINE_QUANTITY && quantity >= -MAX_LINE_QUANTITY - 1;
}

export interface OrderLine {
  readonly item: string;
  /** Any number as it was sent, NaN and the infinities too; whether it is acceptable is decided, not assumed. */
  readonly quantity: number;
  /** A decimal string such as "12.50"; null when the order names no price. */
  readonly unitPrice: string | null;
}

/** An order as it was read: its names are in the alphabet of names.ts, nothing else is checked yet. */
export interface Order {
  readonly orderId: string;
  /** Empty: of nobody, in a shop that needs no users. */
  readonly user: string;
  readonly items: readonly OrderLine[];
  /** Milliseconds since the epoch; NaN: nothing says when, until the order is decided. */
  readonly createdAt: number;
}

/** Where a record is in Kafka. Offsets are numbers: exact up to 2^53 − 1, which no topic reaches. */
export interface RecordId {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** `orders/3@17`: how a record is named in messages and as an id. */
export function formatRecordId(record: RecordId): string {
  return `${record.topic}/${record.partition}@${record.offset}`;
}

/** The quantity asked for per item, lines of one item counted together, in order of first mention. */
export function totalsByItem(items: readonly OrderLine[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const line of items) totals.set(line.item, (totals.get(line.item) ?? 0) + line.quantity);
  return totals;
}

/** Whose it is, as documents have it; null: nobody's. */
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

/** JSON keeps no NaN and no infinity: they are stored alike. */
function isSameTotal(a: number | undefined, b: number): boolean {
  return a === b || (a !== undefined && !Number.isFinite(a) && !Number.isFinite(b));
}

/** When a record was made; null when its producer did not say, for which Kafka writes −1. */
export function recordTime(timestampMs: number): number | null {
  return timestampMs >= 0 && timestampMs <= GREATEST_TIME_MS ? timestampMs : null;
}
