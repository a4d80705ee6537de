import { Failure } from '../../../domain/failure.ts';
import { fitsTheEvent, type Order, type OrderLine } from '../../../domain/orders/order.ts';
import { MAGIC_BYTE } from '../wire-format.ts';
import { MOST_BYTES_PER_UNIT, writeAmount, writeLong, writeText } from '../write-values.ts';

const CHUNK_BYTES = 256 * 1024;
/** Header, two lengths, the number of lines, the end of the lines, the time: at most ten bytes each. */
const MOST_ORDER_BYTES = 5 + 5 * 10;
/** A length, a quantity, a branch, a length and a price, without the name. */
const MOST_LINE_BYTES = 10 + 5 + 1 + 1 + 6;

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
  into[at] = unitPrice === null ? 0 : 2;
  return unitPrice === null ? at + 1 : writeAmount(unitPrice, into, at + 1);
}
