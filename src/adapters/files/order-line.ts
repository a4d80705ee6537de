import type { Decided } from '../../domain/decide.ts';
import type { Reason } from '../../domain/reasons.ts';
import type { UserStatus } from '../../domain/tables.ts';
import type { Order, OrderLine } from '../../domain/order.ts';

/*
 * A decision as a line of orders.jsonl or rejections.jsonl. Written by template, because JSON.stringify
 * with dates costs five times as much and this runs once for every order. All of it is ASCII: every name is in the
 * alphabet of names.ts and needs no escaping; `detail`, which may hold any text, is escaped.
 */

const GREATEST_TIME_MS = 8.64e15;
const DAY_MS = 86_400_000;

/** The line of a decision, ended by a line feed. */
export function renderDecided(decided: Decided): string {
  const { order, record, outcome } = decided;
  const { topic, partition, offset } = record;
  let items = '';
  for (let index = 0; index < order.items.length; index++) {
    const line = order.items[index];
    if (line === undefined) continue;
    const price = line.unitPrice === null ? '' : `,"unit_price":${asciiJson(line.unitPrice)}`;
    const stock = outcome.stock[index] ?? null;
    items += `${index === 0 ? '' : ','}{"item":"${line.item}","quantity":${line.quantity},"stock":${stock}${price}}`;
  }
  const head = `{"order_id":"${order.orderId}","user":"${order.user}","items":[${items}],"created_at":"${isoTime(order.createdAt)}"`;
  const tail = `"topic":"${topic}","partition":${partition},"offset":${offset}}\n`;
  if (outcome.kind === 'accepted') return `${head},"accepted_at":"${isoTime(decided.decidedAt)}",${tail}`;
  const status = outcome.userStatus === null ? 'null' : `"${outcome.userStatus}"`;
  return `${head},"reason":"${outcome.reason}","detail":${asciiJson(outcome.detail)},"user_status":${status},"rejected_at":"${isoTime(decided.decidedAt)}",${tail}`;
}

/** JSON text of ASCII alone, so that one byte is one character. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

let knownDay = NaN;
let knownDate = '';

/** ISO 8601 in UTC with milliseconds; times beyond what a date can be are the nearest that can. */
export function isoTime(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  if (day !== knownDay) {
    const bounded = Number.isNaN(ms) ? 0 : Math.max(-GREATEST_TIME_MS, Math.min(GREATEST_TIME_MS, ms));
    const text = new Date(bounded).toISOString();
    if (bounded !== ms) return text;
    knownDay = day;
    knownDate = text.slice(0, text.indexOf('T') + 1);
  }
  const rest = Math.trunc(ms - day * DAY_MS);
  const seconds = Math.trunc(rest / 1000);
  const minutes = Math.trunc(seconds / 60);
  return `${knownDate}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}.${three(rest % 1000)}Z`;
}

const TWO = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));

function two(value: number): string {
  return TWO[value] ?? '';
}

function three(value: number): string {
  if (value >= 100) return `${value}`;
  return value >= 10 ? `0${value}` : `00${value}`;
}

interface OrderLineJson {
  order_id: string;
  user: string;
  items: { item: string; quantity: number; stock: number | null; unit_price?: string }[];
  created_at: string;
  accepted_at?: string;
  reason?: Reason;
  detail?: string;
  user_status?: UserStatus | null;
  rejected_at?: string;
  topic: string;
  partition: number;
  offset: number;
}

/** @throws SyntaxError or TypeError when it is no line of ours */
export function parseDecided(line: Buffer): Decided {
  const json = JSON.parse(line.toString('utf8')) as OrderLineJson;
  const items: OrderLine[] = json.items.map(({ item, quantity, unit_price: price }) => ({
    item,
    quantity,
    unitPrice: price ?? null,
  }));
  const order: Order = {
    orderId: json.order_id,
    user: json.user,
    items,
    createdAt: Date.parse(json.created_at),
  };
  const record = { topic: json.topic, partition: json.partition, offset: json.offset };
  const stock = json.items.map((item) => item.stock);
  if (json.reason === undefined) {
    const accepted = stock.map((quantity) => quantity ?? 0);
    return {
      order,
      record,
      outcome: { kind: 'accepted', stock: accepted },
      decidedAt: Date.parse(json.accepted_at ?? ''),
    };
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
  };
}

const ID_PREFIX = Buffer.from(lineBegin('').slice(0, -1));

/** How the line of an order begins: its name needs no escaping. */
export function lineBegin(orderId: string): string {
  return `{"order_id":"${orderId}"`;
}

/** The order id of a line without parsing it all; undefined when it is no line of ours. */
export function orderIdOf(line: Buffer): string | undefined {
  if (!line.subarray(0, ID_PREFIX.byteLength).equals(ID_PREFIX)) return undefined;
  const end = line.indexOf(0x22, ID_PREFIX.byteLength);
  return end === -1 ? undefined : line.toString('latin1', ID_PREFIX.byteLength, end);
}
