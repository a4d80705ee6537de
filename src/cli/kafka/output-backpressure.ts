import type { OrderCodec } from '../../ports/codec.ts';
import type { Printer } from '../output/printer.ts';

/**
 * A codec that waits for the reader of our output: what is printed would otherwise pile up in memory when orders
 * go by faster than they are read.
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
