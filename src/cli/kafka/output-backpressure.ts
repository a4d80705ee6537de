import type { OrderCodec } from '../../ports/codec.ts';
import type { Printer } from '../output/printer.ts';

/**
 * A codec that waits until the output has been read. Otherwise output would pile up in memory if orders are processed
 * faster than the reader of the output accepts it.
 */
export function pacedByOutput(codec: OrderCodec, printer: Printer): OrderCodec {
  return {
    decode: async (records) => {
      await printer.room();
      return codec.decode(records);
    },
    encode: async (orders) => {
      await printer.room();
      return codec.encode(orders);
    },
  };
}
