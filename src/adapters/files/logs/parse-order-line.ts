import type { Decided } from '../../../domain/orders/decided.ts';
import type { Order, OrderLine } from '../../../domain/orders/order.ts';
import type { Reason } from '../../../domain/orders/reasons.ts';
import type { UserStatus } from '../../../domain/tables.ts';

/*
 * Reads lines of orders.jsonl and rejections.jsonl. Reading ten million orders consists mostly of this, so the line of
 * an accepted order, exactly as order-line.ts writes it, is read byte by byte; any other line by JSON.parse.
 */

interface OrderLineJson {
  order_id: string;
  user: string;
  items: { item: string; quantity: number | null; stock: number | null; unit_price?: string }[];
  created_at: string;
  accepted_at?: string;
  reason?: Reason;
  detail?: string;
  user_status?: UserStatus | null;
  rejected_at?: string;
  /** Missing in lines of format 2; 0 in copies of such lines. */
  seq?: number;
  topic: string;
  partition: number;
  offset: number;
  /** Only where it was sampled. */
  traceparent?: string;
}

/** A decision and the number of its transaction, which is null in lines of format 2. */
export interface NumberedDecided {
  readonly decided: Decided;
  readonly seq: number | null;
}

/** @throws SyntaxError or TypeError when orderctl did not write it */
export function parseDecided(bytes: Buffer): Decided {
  return parseNumberedDecided(bytes).decided;
}

/** @throws as parseDecided */
export function parseNumberedDecided(bytes: Buffer): NumberedDecided {
  return readAccepted(bytes) ?? parseJson(bytes);
}

function parseJson(bytes: Buffer): NumberedDecided {
  const json = JSON.parse(bytes.toString('utf8')) as OrderLineJson;
  return { decided: decidedFrom(json), seq: json.seq === 0 ? null : (json.seq ?? null) };
}

/** The line being read: one for all calls, since they do not overlap. */
let line: Buffer = Buffer.alloc(0);
let at = 0;
/** The line is not as order-line.ts writes it. */
let isOther = false;

const ORDER_ID = Buffer.from('{"order_id":"');
const USER = Buffer.from('","user":"');
const ITEMS = Buffer.from('","items":[');
const ITEM = Buffer.from('{"item":"');
const QUANTITY = Buffer.from('","quantity":');
const STOCK = Buffer.from(',"stock":');
const PRICE = Buffer.from(',"unit_price":"');
const PRICE_END = Buffer.from('"}');
const ITEM_END = Buffer.from('}');
const COMMA = Buffer.from(',');
const ITEMS_END = Buffer.from(']');
const CREATED_AT = Buffer.from(',"created_at":"');
const ACCEPTED_AT = Buffer.from('","accepted_at":"');
const SEQ = Buffer.from('","seq":');
const TOPIC = Buffer.from(',"topic":"');
const PARTITION = Buffer.from('","partition":');
const OFFSET = Buffer.from(',"offset":');
const TRACEPARENT = Buffer.from(',"traceparent":"');
const TRACEPARENT_END = Buffer.from('"}');
const END = Buffer.from('}');

/** Reads the line of an accepted order. @returns undefined: it is another line */
function readAccepted(of: Buffer): NumberedDecided | undefined {
  begin(of);
  skip(ORDER_ID);
  const from = at;
  const orderId = of.toString('latin1', from, wordEnd());
  skip(USER);
  const user = word();
  skip(ITEMS);
  const items: OrderLine[] = [];
  const stock: number[] = [];
  if (!skipIf(ITEMS_END)) {
    do {
      skip(ITEM);
      const item = word();
      skip(QUANTITY);
      const quantity = wholeNumber();
      skip(STOCK);
      stock.push(wholeNumber());
      const unitPrice = skipIf(PRICE) ? word() : null;
      skip(unitPrice === null ? ITEM_END : PRICE_END);
      items.push({ item, quantity, unitPrice });
    } while (!isOther && skipIf(COMMA));
    skip(ITEMS_END);
  }
  skip(CREATED_AT);
  const createdAt = time();
  skip(ACCEPTED_AT);
  const decidedAt = time();
  skip(SEQ);
  const seq = wholeNumber();
  skip(TOPIC);
  const topic = word();
  skip(PARTITION);
  const partition = wholeNumber();
  skip(OFFSET);
  const offset = wholeNumber();
  const traceparent = skipIf(TRACEPARENT) ? of.toString('latin1', at, wordEnd()) : null;
  skip(traceparent === null ? END : TRACEPARENT_END);
  if (isOther || at !== line.byteLength) return undefined;
  const order: Order = { orderId, user, items, createdAt };
  const record = { topic, partition, offset };
  const untraced: Decided = { order, record, outcome: { kind: 'accepted', stock }, decidedAt };
  const decided = traceparent === null ? untraced : { ...untraced, traceparent };
  return { decided, seq: seq === 0 ? null : seq };
}

function begin(of: Buffer): void {
  line = of;
  at = 0;
  isOther = false;
}

/** Skips `bytes` if they are next. A loop is faster than a call into Buffer. */
function skipIf(bytes: Uint8Array): boolean {
  const of = line;
  const from = at;
  const size = bytes.length;
  for (let index = 0; index < size; index++) if (of[from + index] !== bytes[index]) return false;
  at = from + size;
  return true;
}

function skip(bytes: Uint8Array): void {
  if (!skipIf(bytes)) isOther = true;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A checksum of the word read last. */
let sum = 0;

/** Moves to the next quote; there must be no escapes before it. @returns where it is */
function wordEnd(): number {
  const of = line;
  let end = at;
  let mixed = 0;
  for (; ; end++) {
    const byte = of[end] ?? 0;
    if (byte === QUOTE) break;
    if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) {
      isOther = true;
      break;
    }
    mixed = (Math.imul(mixed, 31) + byte) | 0;
  }
  sum = mixed;
  at = end;
  return end;
}

/** Words that recur, by their checksums. Using the same string again is also faster, since its hash is known. */
const WORDS = 4_096;
const known = Array.from({ length: WORDS }, () => ({ bytes: new Uint8Array(0), text: '' }));

/** Reads a name or a price. */
function word(): string {
  const of = line;
  const from = at;
  const end = wordEnd();
  const slot = (sum >>> 0) % WORDS;
  const found = known[slot];
  if (found !== undefined && isSame(found.bytes, of, from, end)) return found.text;
  const text = of.toString('latin1', from, end);
  known[slot] = { bytes: copied(of, from, end), text };
  return text;
}

/** Not with `slice`: that of a Buffer is a view, and readers of a log reuse their buffer. */
function copied(of: Uint8Array, from: number, end: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(of.subarray(from, end));
}

function isSame(bytes: Uint8Array, of: Uint8Array, from: number, end: number): boolean {
  if (bytes.length !== end - from) return false;
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== of[from + index]) return false;
  return true;
}

const DIGIT_0 = 0x30;
/** A number with more digits may not be exact. */
const MOST_DIGITS = 15;

/** Reads a whole number from 0 up. */
function wholeNumber(): number {
  const of = line;
  const from = at;
  let value = 0;
  let place = from;
  for (; ; place++) {
    const digit = (of[place] ?? 0) - DIGIT_0;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  const digits = place - from;
  if (digits === 0 || digits > MOST_DIGITS || (digits > 1 && of[from] === DIGIT_0)) isOther = true;
  at = place;
  return value;
}

const TIME_LENGTH = '2026-01-02T03:04:05.678Z'.length;
const MINUTE_LENGTH = '2026-01-02T03:04'.length;
const COLON = 0x3a;
const POINT = 0x2e;
const LETTER_Z = 0x5a;
let knownMinute: Uint8Array = new Uint8Array(0);
let knownMinuteMs = NaN;

/** Reads a time as isoTime writes it. Most are in the same minute as the one before. */
function time(): number {
  const of = line;
  const from = at;
  const rest = from + MINUTE_LENGTH;
  if (!isSame(knownMinute, of, from, rest)) {
    knownMinute = copied(of, from, rest);
    knownMinuteMs = Date.parse(`${of.toString('latin1', from, rest)}:00.000Z`);
  }
  at = from + TIME_LENGTH;
  const isTime = of[rest] === COLON && of[rest + 3] === POINT && of[rest + 7] === LETTER_Z;
  const seconds = digitAt(rest + 1) * 10 + digitAt(rest + 2);
  const ms = digitAt(rest + 4) * 100 + digitAt(rest + 5) * 10 + digitAt(rest + 6);
  const found = knownMinuteMs + seconds * 1000 + ms;
  if (!isTime || seconds > 59 || Number.isNaN(found)) isOther = true;
  return found;
}

function digitAt(place: number): number {
  const digit = (line[place] ?? 0) - DIGIT_0;
  return digit >= 0 && digit <= 9 ? digit : NaN;
}

function decidedFrom(json: OrderLineJson): Decided {
  const items: OrderLine[] = [];
  const stock: (number | null)[] = [];
  for (const { item, quantity, unit_price: price, stock: left } of json.items) {
    items.push({ item, quantity: quantity ?? NaN, unitPrice: price ?? null });
    stock.push(left);
  }
  const createdAt = Date.parse(json.created_at);
  const order: Order = { orderId: json.order_id, user: json.user, items, createdAt };
  const record = { topic: json.topic, partition: json.partition, offset: json.offset };
  const trace = json.traceparent === undefined ? {} : { traceparent: json.traceparent };
  if (json.reason === undefined) {
    const accepted = stock.map((quantity) => quantity ?? 0);
    const outcome = { kind: 'accepted', stock: accepted } as const;
    return { order, record, outcome, decidedAt: Date.parse(json.accepted_at ?? ''), ...trace };
  }
  return {
    order,
    record,
    outcome: {
      kind: 'rejected',
      reason: json.reason,
      detail: json.detail ?? '',
      userStatus: json.user_status ?? null,
      stock,
    },
    decidedAt: Date.parse(json.rejected_at ?? ''),
    ...trace,
  };
}

const ID_PREFIX = Buffer.from(lineBegin('').slice(0, -1));

/** How the line of an order starts: its id needs no escaping. */
export function lineBegin(orderId: string): string {
  return `{"order_id":"${orderId}"`;
}

/** The order id of a line, without parsing all of it; undefined when orderctl did not write the line. */
export function orderIdOf(bytes: Buffer): string | undefined {
  if (!bytes.subarray(0, ID_PREFIX.byteLength).equals(ID_PREFIX)) return undefined;
  const end = bytes.indexOf(0x22, ID_PREFIX.byteLength);
  return end === -1 ? undefined : bytes.toString('latin1', ID_PREFIX.byteLength, end);
}
