import type { Order, OrderLine } from '../../../domain/orders/order.ts';

/*
 * A fast reader for the layout that orderctl writes. It is by far the most common one, and decoding is most of the
 * cost of consuming an order. Anything unusual in the bytes is left to the general reader, which reports what is
 * wrong and where.
 */

const NAME_BYTES = new Uint8Array(256);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789') {
  NAME_BYTES[character.charCodeAt(0)] = 2;
}
for (const character of '._:@/-') NAME_BYTES[character.charCodeAt(0)] = 1;
const MAX_NAME_BYTES = 128;

/** The read position; shared by all calls, since they do not overlap. */
let at = 0;

/** End of the value; the buffer continues with other records. */
let limit = 0;

/** @returns undefined when there is anything unusual about the bytes from `from` to `to` */
export function readOwnLayout(bytes: Buffer, from: number, to: number): Order | undefined {
  at = from;
  limit = to;
  const orderId = readName(bytes);
  if (orderId === undefined) return undefined;
  const user = readKnownName(bytes);
  return user === undefined ? undefined : readRest(bytes, orderId, user);
}

/** Like readOwnLayout, but the user may be empty. */
export function readOwnLayoutOfAnyone(bytes: Buffer, from: number, to: number): Order | undefined {
  at = from;
  limit = to;
  const orderId = readName(bytes);
  if (orderId === undefined) return undefined;
  const isEmpty = bytes[at] === 0;
  if (isEmpty) at += 1;
  const user = isEmpty ? '' : readKnownName(bytes);
  return user === undefined ? undefined : readRest(bytes, orderId, user);
}

function readRest(bytes: Buffer, orderId: string, user: string): Order | undefined {
  let items: OrderLine[] | undefined;
  for (;;) {
    const count = readSmall(bytes);
    if (count === 0) break;
    // Negated, so that NaN returns too.
    if (!(count > 0 && count <= limit - at)) return undefined;
    for (let read = 0; read < count; read++) {
      const item = readKnownName(bytes);
      if (item === undefined) return undefined;
      const quantity = readSmall(bytes);
      const unitPrice = readPrice(bytes);
      if (Number.isNaN(quantity) || unitPrice === undefined) return undefined;
      // push on an empty array allocates room for seventeen, and most orders have one line.
      if (items === undefined) items = [{ item, quantity, unitPrice }];
      else items.push({ item, quantity, unitPrice });
    }
  }
  const createdAt = readTime(bytes);
  if (Number.isNaN(createdAt) || at !== limit) return undefined;
  return { orderId, user, items: items ?? [], createdAt };
}

function readName(bytes: Buffer): string | undefined {
  const start = skipName(bytes);
  return start === -1 ? undefined : bytes.toString('latin1', start, at);
}

/**
 * Users and items repeat: reusing the string saves memory, and a Map compares it by address. One slot per hash, so the
 * table never grows.
 */
const KNOWN_NAMES = 8_192;
const known: (string | undefined)[] = new Array<string | undefined>(KNOWN_NAMES).fill(undefined);

function readKnownName(bytes: Buffer): string | undefined {
  const start = skipName(bytes);
  if (start === -1) return undefined;
  const place = nameHash & (KNOWN_NAMES - 1);
  const name = known[place];
  if (name !== undefined && isSkipped(name, bytes, start)) return name;
  return (known[place] = bytes.toString('latin1', start, at));
}

/** Whether `name` equals the name just skipped, which started at `start`. */
function isSkipped(name: string, bytes: Buffer, start: number): boolean {
  if (name.length !== at - start) return false;
  for (let index = 0; index < name.length; index++) {
    if (name.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}

/** Hash of the name just skipped. */
let nameHash = 0;

/** Skips a name. @returns where it starts; -1 when it is not a valid name */
function skipName(bytes: Buffer): number {
  const size = readSmall(bytes);
  const start = at;
  const end = start + size;
  if (!(size > 0) || size > MAX_NAME_BYTES || end > limit) return -1;
  const first = bytes[start] ?? 0;
  if (NAME_BYTES[first] !== 2) return -1;
  let hash = first;
  for (let index = start + 1; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if (NAME_BYTES[byte] === 0) return -1;
    hash = Math.imul(hash, 31) + byte;
  }
  // The low bits alone would depend on the last bytes only.
  nameHash = hash ^ (hash >>> 13);
  at = end;
  return start;
}

/** null, or the amount in hundredths as two's complement of at most six bytes. */
function readPrice(bytes: Buffer): string | null | undefined {
  const branch = bytes[at++];
  if (branch === 0) return null;
  if (branch !== 2) return undefined;
  const size = readSmall(bytes);
  if (!(size > 0) || size > 6 || at + size > limit) return undefined;
  const hundredths = bytes.readIntBE(at, size);
  at += size;
  // At most ten digits; longer or negative amounts are left to the general reader.
  if (hundredths < 0 || hundredths >= 1e10) return undefined;
  const cents = hundredths % 100;
  return `${(hundredths - cents) / 100}.${cents < 10 ? '0' : ''}${cents}`;
}

/** A zigzag number of up to four bytes; NaN for anything longer. */
function readSmall(bytes: Buffer): number {
  let raw = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) return NaN;
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
  }
  return NaN;
}

/** A zigzag number of up to seven bytes, which is exact in a double; NaN for anything longer. */
function readTime(bytes: Buffer): number {
  let raw = 0;
  let scale = 1;
  for (let read = 0; read < 7; read++) {
    const byte = bytes[at++];
    if (byte === undefined) return NaN;
    raw += (byte & 0x7f) * scale;
    if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    scale *= 128;
  }
  return NaN;
}
