import { ORDER } from '../../../domain/messages/shop/order.ts';
import { recordTime, type Order } from '../../../domain/orders/order.ts';
import { parseOrder } from '../../../domain/orders/parse-order.ts';
import type { OrderCodec } from '../../../ports/codec.ts';
import { Decoder, type Reading } from '../decoder.ts';
import { hasOwnLayout } from '../layout.ts';
import { OwnSchema, type CodecOptions } from '../own-schema.ts';
import type { Shape } from '../reader.ts';
import { parseSchema } from '../schema.ts';
import { readOwnLayout, readOwnLayoutOfAnyone } from './own-layout.ts';
import { writeOrders } from './writer.ts';

const LINE: readonly (readonly [string, Shape])[] = [
  ['item', 'text'],
  ['product_id', 'text'],
  ['quantity', 'number'],
  ['unit_price', 'plain'],
];

/** Wider than our schema: other producers' field names, and flat orders, which have the fields of their only line. */
const SHAPE: Shape = {
  fields: new Map<string, Shape>([
    ['order_id', 'text'],
    ['user', 'text'],
    ['customer_id', 'text'],
    ['items', { list: { fields: new Map(LINE) } }],
    ['created_at', 'text'],
    ...LINE,
  ]),
};

export interface OrderCodecOptions extends CodecOptions {
  /** See OrderDefaults. */
  readonly users?: 'required' | 'optional' | undefined;
}

/** Codec for orders, as Avro in the Confluent wire format and as JSON. Reading and writing are tuned by hand. */
export function createOrderCodec(options: OrderCodecOptions): OrderCodec {
  const own = new OwnSchema(ORDER.schema, options);
  const decoder = new Decoder(own.registry, orderReading(options));
  return {
    decode: (records) => decoder.decode(records),
    encode: async (orders) => writeOrders(orders, await own.id()),
  };
}

function orderReading({ users }: OrderCodecOptions): Reading<Order> {
  const own = parseSchema(JSON.stringify(ORDER.schema), []);
  return {
    shape: SHAPE,
    fast: (schema) => {
      if (!hasOwnLayout(schema, own)) return undefined;
      return users === 'optional' ? readOwnLayoutOfAnyone : readOwnLayout;
    },
    parse: (fields, record) => {
      const { order, ignored, problem } = parseOrder(fields, {
        createdAt: recordTime(record.timestamp) ?? NaN,
        users,
      });
      if (problem !== undefined) return { kind: 'dead_letter', stage: 'validate', ...problem };
      return ignored === null
        ? { kind: 'message', value: order }
        : { kind: 'message', value: order, ignored };
    },
  };
}
