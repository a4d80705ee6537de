import type { Decided } from '../../../domain/orders/decided.ts';
import { DAY_MS, isoTime } from '../../../domain/iso-time.ts';
import { GREATEST_TIME_MS, type OrderLine, type RecordId } from '../../../domain/orders/order.ts';

/*
 * A decision as a line of orders.jsonl or rejections.jsonl. It is written byte by byte into a buffer, since this runs
 * once for every order and took a third of its time with strings. The line is all ASCII: names use the alphabet of
 * names.ts and need no escaping; `detail`, which may contain any text, is escaped.
 */

/** The most bytes that the line of a decision can have, including its line feed. */
export function maxLineBytes({ order, record, outcome, traceparent }: Decided): number {
  // The fixed parts of a line take 260 bytes with the longest numbers, those of an item 90; an escaped character
  // takes six.
  let bytes = 320 + order.orderId.length + order.user.length + record.topic.length;
  if (traceparent !== undefined) bytes += 20 + traceparent.length;
  for (const { item, unitPrice } of order.items) bytes += 120 + item.length + 6 * (unitPrice?.length ?? 0);
  return outcome.kind === 'accepted' ? bytes : bytes + 6 * outcome.detail.length;
}

/** The buffer to write to: one for all calls, since they do not overlap. */
let target: Uint8Array = new Uint8Array(0);
let at = 0;

const ORDER_ID = Buffer.from('{"order_id":"');
const USER = Buffer.from('","user":"');
const NO_ITEMS = Buffer.from('","items":[');
const FIRST_ITEM = Buffer.from('","items":[{"item":"');
const NEXT_ITEM = Buffer.from(',{"item":"');
const QUANTITY = Buffer.from('","quantity":');
const STOCK = Buffer.from(',"stock":');
const CREATED_AT = '],"created_at":"';

/**
 * Writes the line of a decision, ending in a line feed.
 *
 * @param seq the number of its transaction
 * @param into has room for `maxLineBytes` from `from` on
 * @returns where the line ends
 */
export function writeDecided(decided: Decided, seq: number, into: Uint8Array, from: number): number {
  const { order, record, outcome, traceparent } = decided;
  target = into;
  at = from;
  putBytes(ORDER_ID);
  put(order.orderId);
  putBytes(USER);
  put(order.user);
  const { items } = order;
  for (let index = 0; index < items.length; index++) {
    const line = items[index];
    if (line !== undefined) putItem(line, outcome.stock[index] ?? null, index === 0);
  }
  if (items.length === 0) putBytes(NO_ITEMS);
  putCreatedAt(order.createdAt);
  if (outcome.kind === 'rejected') {
    put('","reason":"');
    put(outcome.reason);
    put('","detail":');
    put(asciiJson(outcome.detail));
    put(outcome.userStatus === null ? ',"user_status":null' : `,"user_status":"${outcome.userStatus}"`);
  }
  putBytes(tailOf(decided, record, seq));
  putNumber(record.offset);
  put(traceparent === undefined ? '}\n' : `,"traceparent":"${traceparent}"}\n`);
  return at;
}

function putItem({ item, quantity, unitPrice }: OrderLine, stock: number | null, isFirst: boolean): void {
  putBytes(isFirst ? FIRST_ITEM : NEXT_ITEM);
  put(item);
  putBytes(QUANTITY);
  // JSON has neither NaN nor infinities; the detail of the rejection says which one it was.
  if (Number.isFinite(quantity)) putNumber(quantity);
  else put('null');
  putBytes(STOCK);
  if (stock === null) put('null');
  else putNumber(stock);
  if (unitPrice !== null) {
    put(',"unit_price":');
    put(asciiJson(unitPrice));
  }
  put('}');
}

interface Tail {
  readonly kind: 'accepted' | 'rejected';
  readonly decidedAt: number;
  readonly topic: string;
  readonly partition: number;
  readonly seq: number;
  readonly bytes: Uint8Array;
}

let knownTail: Tail | undefined;

/** The text between creation time or status and the offset: the same for all orders that a batch accepts. */
function tailOf(
  { outcome: { kind }, decidedAt }: Decided,
  { topic, partition }: RecordId,
  seq: number,
): Uint8Array {
  const known = knownTail;
  if (
    known?.decidedAt === decidedAt &&
    known.kind === kind &&
    known.partition === partition &&
    known.seq === seq &&
    known.topic === topic
  ) {
    return known.bytes;
  }
  const begin = kind === 'accepted' ? '","accepted_at' : ',"rejected_at';
  const bytes = Buffer.from(
    `${begin}":"${isoTime(decidedAt)}","seq":${seq},"topic":"${topic}","partition":${partition},"offset":`,
  );
  knownTail = { kind, decidedAt, topic, partition, seq, bytes };
  return bytes;
}

function putBytes(bytes: Uint8Array): void {
  target.set(bytes, at);
  at += bytes.byteLength;
}

/** For names this short a loop is faster than a call into Buffer. */
function put(text: string): void {
  const into = target;
  const from = at;
  for (let index = 0; index < text.length; index++) into[from + index] = text.charCodeAt(index);
  at = from + text.length;
}

const ZERO = 0x30;

function putNumber(value: number): void {
  if (!(value >= 0 && value <= 0x7fffffff && Number.isInteger(value))) {
    put(String(value));
    return;
  }
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  putDigits(value, digits);
}

/** The last `digits` digits of a whole number below 2^31. */
function putDigits(value: number, digits: number): void {
  const into = target;
  let rest = value | 0;
  for (let place = at + digits - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0;
    into[place] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  at += digits;
}

let knownDay = NaN;
/** The text before the time of day. */
let knownBegin = Buffer.alloc(0);

/** Writes a time as isoTime does; most orders of a batch were created on one day. */
function putCreatedAt(ms: number): void {
  const day = Number.isInteger(ms) && Math.abs(ms) <= GREATEST_TIME_MS ? Math.floor(ms / DAY_MS) : NaN;
  if (day !== knownDay) {
    const text = isoTime(ms);
    if (Number.isNaN(day)) {
      put(CREATED_AT);
      put(text);
      return;
    }
    knownDay = day;
    knownBegin = Buffer.from(CREATED_AT + text.slice(0, text.indexOf('T') + 1));
  }
  const rest = ms - day * DAY_MS;
  const seconds = (rest / 1000) | 0;
  const minutes = (seconds / 60) | 0;
  const hours = (minutes / 60) | 0;
  putBytes(knownBegin);
  putDigits(hours, 2);
  put(':');
  putDigits(minutes - hours * 60, 2);
  put(':');
  putDigits(seconds - minutes * 60, 2);
  put('.');
  putDigits(rest - seconds * 1000, 3);
  put('Z');
}

/** JSON text of ASCII characters only, so that one byte is one character. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
