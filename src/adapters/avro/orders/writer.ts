import { Failure } from '../../../domain/failure.ts';
import { fitsTheEvent, type Order, type OrderLine } from '../../../domain/orders/order.ts';

/*
 * A hand-written encoder for our own schema: producing spends much of its time here, and avsc encodes numbers beyond
 * 2^52 wrongly, which some times are.
 * Source: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */

const MAGIC_BYTE = 0;
const CHUNK_BYTES = 256 * 1024;
/** Header, two lengths, the number of lines, the end of the lines, the time: at most ten bytes each. */
const MOST_ORDER_BYTES = 5 + 5 * 10;
/** A length, a quantity, a branch, a length and a price, without the name. */
const MOST_LINE_BYTES = 10 + 5 + 1 + 1 + 6;
/** A UTF-16 unit takes at most three bytes in UTF-8. */
const MOST_BYTES_PER_UNIT = 3;

/**
 * Values in the Confluent wire format. A batch shares a few buffers: an allocation per order costs more than the
 * encoding.
 *
 * @throws Failure invalid_value: a quantity does not fit an int, or a time is not a whole number of milliseconds
 */
export function writeOrders(orders: readonly Order[], schemaId: number): Buffer[] {
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let at = 0;
  return orders.map((order) => {
    const most = mostBytes(order);
    if (at + most > chunk.length) {
      chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, most));
      at = 0;
    }
    const from = at;
    at = writeOrder(order, schemaId, chunk, at);
    return chunk.subarray(from, at);
  });
}

function mostBytes({ orderId, user, items }: Order): number {
  let units = orderId.length + user.length;
  for (const { item } of items) units += item.length;
  return MOST_ORDER_BYTES + units * MOST_BYTES_PER_UNIT + items.length * MOST_LINE_BYTES;
}

function writeOrder(order: Order, schemaId: number, into: Buffer, from: number): number {
  if (!Number.isSafeInteger(order.createdAt)) {
    throw new Failure(
      'invalid_value',
      `order ${order.orderId}: ${order.createdAt} is not a time in milliseconds`,
      {
        context: { orderId: order.orderId },
      },
    );
  }
  into[from] = MAGIC_BYTE;
  let at = into.writeUInt32BE(schemaId, from + 1);
  at = writeText(order.orderId, into, at);
  at = writeText(order.user, into, at);
  if (order.items.length > 0) {
    at = writeLong(order.items.length, into, at);
    for (const line of order.items) at = writeLine(line, order, into, at);
  }
  into[at++] = 0;
  return writeLong(order.createdAt, into, at);
}

function writeLine(
  { item, quantity, unitPrice }: OrderLine,
  order: Order,
  into: Buffer,
  from: number,
): number {
  if (!fitsTheEvent(quantity)) {
    const message = `order ${order.orderId}: quantity ${quantity} of ${item} does not fit an int`;
    throw new Failure('invalid_value', message, { context: { orderId: order.orderId } });
  }
  const at = writeLong(quantity, into, writeText(item, into, from));
  if (unitPrice !== null) return writePrice(unitPrice, into, at);
  into[at] = 0;
  return at + 1;
}

function writeText(text: string, into: Buffer, from: number): number {
  // Names are ASCII: one byte per unit, and up to 63 of them a length of one byte.
  if (text.length < 64) {
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return writeAnyText(text, into, from);
      into[from + 1 + index] = unit;
    }
    into[from] = text.length << 1;
    return from + 1 + text.length;
  }
  return writeAnyText(text, into, from);
}

function writeAnyText(text: string, into: Buffer, from: number): number {
  const at = writeLong(Buffer.byteLength(text), into, from);
  return at + into.write(text, at);
}

/** Zigzag, seven bits a byte. @param value a safe integer */
function writeLong(value: number, into: Buffer, from: number): number {
  let at = from;
  // The last bit is the sign; the rest is exact in a double.
  let rest = value < 0 ? -(value + 1) : value;
  const low = ((rest % 64) << 1) | (value < 0 ? 1 : 0);
  rest = Math.floor(rest / 64);
  into[at++] = rest > 0 ? low | 0x80 : low;
  while (rest > 0) {
    const next = Math.floor(rest / 128);
    into[at++] = next > 0 ? (rest % 128) | 0x80 : rest;
    rest = next;
  }
  return at;
}

/** The branch, then the amount in hundredths as the shortest big-endian two's complement. */
function writePrice(price: string, into: Buffer, from: number): number {
  const hundredths = Math.round(Number(price) * 100);
  let sizeBytes = 1;
  while (
    sizeBytes < 6 &&
    (hundredths >= 2 ** (8 * sizeBytes - 1) || hundredths < -(2 ** (8 * sizeBytes - 1)))
  ) {
    sizeBytes += 1;
  }
  into[from] = 2;
  into[from + 1] = sizeBytes << 1;
  return into.writeIntBE(hundredths, from + 2, sizeBytes);
}
